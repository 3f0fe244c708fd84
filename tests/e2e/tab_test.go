package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is one of a browser.
type tab struct{ context.Context }

const (
	// stepPatience bounds every wait for what a page shows; it is never waited out.
	stepPatience = 2 * time.Minute
	// answerPatience bounds one question to the page: one that a navigation cuts off is asked again.
	answerPatience = 20 * time.Second
)

// inAnyFrame is a function of a selector that finds the first element on the page or in one of its frames, where editors show what is
// edited: the element, where it is in the window, and whether the mouse can reach it there.
const inAnyFrame = `(selector => {
	for (const frame of [null, ...document.querySelectorAll('iframe')]) {
		const element = (frame ? frame.contentDocument : document)?.querySelector(selector);
		if (!element) continue;
		element.scrollIntoView({block: 'nearest', behavior: 'instant'});
		const own = element.getBoundingClientRect(), outer = frame?.getBoundingClientRect();
		const x = own.x + own.width / 2, y = own.y + own.height / 2;
		const top = element.ownerDocument.elementFromPoint(x, y);
		const free = own.width > 0 && !element.disabled && element.ariaDisabled !== 'true' && (element.contains(top) || top?.contains(element));
		return {element, free, x: x + (outer?.x ?? 0), y: y + (outer?.y ?? 0)};
	}
	return {free: false};
})`

// found is an expression of what inAnyFrame finds.
func found(selector string) string { return fmt.Sprintf("%s(%q)", inAnyFrame, selector) }

// step is something to do in a browser, which returns when it is done.
type step func() error

// inOrder takes steps until one fails.
func inOrder(steps ...step) step {
	return func() error {
		for _, take := range steps {
			if err := take(); err != nil {
				return err
			}
		}
		return nil
	}
}

// awaits tries until it succeeds.
func (p tab) awaits(what string, try func(context.Context) error) step {
	return func() error { return eventually(p, stepPatience, what, try) }
}

// opens an address and waits until the page has loaded.
func (p tab) opens(address string) step {
	return func() error {
		ctx, cancel := context.WithTimeout(p, stepPatience)
		defer cancel()
		response, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
		if err == nil && response != nil && response.Status != http.StatusOK {
			err = fmt.Errorf("status %d", response.Status)
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", withoutQuery(address), err)
		}
		return nil
	}
}

// shows waits until an expression is true on the page.
func (p tab) shows(what, expression string) step {
	return p.awaits(what, func(ctx context.Context) error {
		isTrue, err := ask[bool](ctx, expression)
		if err == nil && !isTrue {
			err = errors.New("not yet")
		}
		return err
	})
}

// tells takes the value of an expression from the page.
func tells[T any](p tab, expression string, into *T) step {
	return func() (err error) {
		*into, err = ask[T](p, expression)
		return err
	}
}

// ask evaluates an expression on the page.
func ask[T any](ctx context.Context, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// point is a place in the window.
type point struct {
	Free bool    `json:"free"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
}

// clicks waits until the mouse can reach an element, and clicks there.
func (p tab) clicks(selector string) step {
	return p.reaches("click "+selector, selector, func(x, y float64) chromedp.Action[chromedp.Void] { return chromedp.MouseClickXY(x, y) })
}

// pointsAt waits until the mouse can reach an element, and moves there.
func (p tab) pointsAt(selector string) step {
	return p.reaches("point at "+selector, selector, func(x, y float64) chromedp.Action[chromedp.Void] {
		return chromedp.MouseEvent(chromedp.MouseMoved, x, y)
	})
}

func (p tab) reaches(what, selector string, do func(x, y float64) chromedp.Action[chromedp.Void]) step {
	return p.awaits(what, func(ctx context.Context) error {
		where, err := ask[point](ctx, "(({free, x, y}) => ({free, x, y}))("+found(selector)+")")
		if err != nil {
			return err
		}
		if !where.Free {
			return errors.New("it is not there, or cannot be reached")
		}
		return chromedp.Do(ctx, do(where.X, where.Y))
	})
}

// enters clicks an element and types when that has the focus, which an editor gives it a moment later.
func (p tab) enters(selector, text string) step {
	hasFocus := "(({element}) => element.contains(element.ownerDocument.activeElement))(" + found(selector) + ")"
	return inOrder(p.clicks(selector), p.shows("the focus on "+selector, hasFocus), p.types(text))
}

// types where the focus is.
func (p tab) types(text string) step {
	return func() error {
		ctx, cancel := context.WithTimeout(p, answerPatience)
		defer cancel()
		return chromedp.Do(ctx, chromedp.KeyEvent(text))
	}
}

// chooses one of the files that the browser was handed.
func (p tab) chooses(selector, name string) step {
	return p.awaits("choose a file for "+selector, func(ctx context.Context) error {
		input, err := ask[*runtime.RemoteObject](ctx, found(selector)+".element")
		if err != nil {
			return err
		}
		if input.ObjectID == "" {
			return errors.New("it is not there")
		}
		_, err = chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{
			Files: []string{path.Join(handedIn, name)}, ObjectID: input.ObjectID,
		})
		return err
	})
}

// picture is what the window shows.
func (p tab) picture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(p, answerPatience)
	defer cancel()
	// What lies behind other tabs is not drawn.
	if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
