package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// console collects what a browser complains about: exceptions, errors in its console, and answers of status 400 or more.
type console struct {
	host string

	mutex sync.Mutex
	heard heard
}

// heard is what a console has collected.
type heard struct {
	// complaints are those about the site. Those about other hosts, all of which are out of reach, are only counted.
	complaints []string
	abroad     int
	// answers of the site, and those among them of status 400 or more.
	answers, failed int64
}

// soFar is what was heard until now.
func (c *console) soFar() heard {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := c.heard
	now.complaints = slices.Clone(now.complaints)
	return now
}

// forget what was heard.
func (c *console) forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.heard = heard{}
}

func (h heard) problem() error {
	var problem error
	for _, complaint := range h.complaints {
		problem = errors.Join(problem, errors.New(complaint))
	}
	return problem
}

// hear is told of every event of a page.
func (c *console) hear(event any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		c.complain("", exceptionText(event.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeAssert {
			c.complain("", textOf(event.Args))
		}
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			c.complain(event.Entry.URL, event.Entry.Text)
		}
	case *network.EventResponseReceived:
		c.answered(event.Response)
	}
}

func (c *console) answered(response *network.Response) {
	if hostOf(response.URL) != c.host { // another site's, or no answer at all: data in a page
		return
	}
	c.heard.answers++
	if response.Status >= http.StatusBadRequest {
		c.heard.failed++
		c.complain(response.URL, fmt.Sprintf("status %d", response.Status))
	}
}

// complain notes an error; one whose address names no host is the site's.
func (c *console) complain(address, text string) {
	if host := hostOf(address); host != "" && host != c.host {
		c.heard.abroad++
		return
	}
	c.heard.complaints = append(c.heard.complaints, strings.TrimSpace(withoutQuery(address)+" "+excerpt([]byte(text))))
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Host
}

// withoutQuery keeps nonces out of what is told.
func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

func exceptionText(details *runtime.ExceptionDetails) string {
	text := withoutQuery(details.URL) + " " + details.Text
	if details.Exception != nil {
		text += " " + details.Exception.Description
	}
	return text
}

func textOf(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		if arg.Description != "" {
			words = append(words, arg.Description)
		} else {
			words = append(words, string(arg.Value))
		}
	}
	return strings.Join(words, " ")
}
