package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// leakGroup is one way to have something of one visitor's kept for another.
type leakGroup struct {
	name string
	// logsIn says that the marked visitor logs in and out.
	logsIn bool
	try    func(*visiting)
}

// leakGroups are those of incidents of other caches.
var leakGroups = []leakGroup{
	{"logged in", false, (*visiting).loggedIn},
	{"log-in and log-out", true, (*visiting).logInAndOut},
	{"password of a post", false, (*visiting).sealedPost},
	{"commenter", false, (*visiting).commenter},
	{"unpublished", false, (*visiting).unpublished},
	{"cookies", false, (*visiting).cookies},
	{"sets a cookie", false, (*visiting).setsCookie},
	{"turns private", false, (*visiting).turnsPrivate},
	{"authorization", false, (*visiting).authorization},
	{"hosts", false, (*visiting).hosts},
	{"paths", false, (*visiting).paths},
	{"methods", false, (*visiting).methods},
	{"encodings", false, (*visiting).encodings},
	{"mobile", false, (*visiting).mobile},
	{"queries", false, (*visiting).queries},
	{"nonces", false, (*visiting).nonces},
}

// visiting is one round of a group: a marked visitor, another one, and nobody, at two doors.
type visiting struct {
	context.Context
	*crowd
	*leakWatch
	group         leakGroup
	number        int
	me, other     *marked
	here, there   *door
	isMarkedFirst bool
}

// visit is what somebody asks for; nobody, where by is nil.
type visit struct {
	by           *marked
	at           *door
	method, path string
	body         url.Values
	header       http.Header
}

func (v *visiting) run() {
	if v.group.logsIn {
		v.me.browser.Lock()
		defer v.me.browser.Unlock()
	}
	v.group.try(v)
	v.Lock()
	defer v.Unlock()
	if count := v.report.Groups[v.group.name]; v.isMarkedFirst {
		count.MarkedFirst++
	} else {
		count.OthersFirst++
	}
}

// ask makes a request, and has its answer judged.
func (v *visiting) ask(wish visit) answer {
	method, mark, contentType, body := wish.method, "", "", []byte(nil)
	if method == "" {
		method = http.MethodGet
	}
	if wish.by != nil {
		mark = wish.by.Mark
	}
	if wish.body != nil {
		contentType, body = "application/x-www-form-urlencoded", []byte(wish.body.Encode())
	}
	got, err := wish.at.do(v, method, wish.path, contentType, body, wish.header)
	if err == nil {
		got, err = unzipped(got)
	}
	v.sees(v.group.name, wish.at.name, fmt.Sprintf("%s %s of %q with %v", method, wish.path, mark, wish.header), mark, got, err)
	return got
}

func (v *visiting) nobody(at *door, path string) answer { return v.ask(visit{at: at, path: path}) }

func (v *visiting) mine(path string, header http.Header) answer {
	return v.ask(visit{by: v.me, at: v.here, path: path, header: header})
}

// inTurn has the marked visitor and nobody ask for the same page, and returns what he was shown.
func (v *visiting) inTurn(path string, header http.Header) (shown answer) {
	if v.isMarkedFirst {
		v.mine(path, header)
	}
	v.everybodys(v.here, path)
	v.everybodys(v.there, path)
	shown = v.mine(path, header)
	v.everybodys(v.here, path)
	return shown
}

// everybodys is a page of the article, or of its place, without anything of anybody's.
func (v *visiting) everybodys(at *door, path string) answer {
	got := v.nobody(at, path)
	if got.status == http.StatusOK && !strings.Contains(string(got.body), `"user":"nobody"`) {
		v.problem("%s: nobody is shown %s at %s without the plugin's words: %s", v.group.name, path, at.name, excerpt(got.body))
	}
	return got
}

// fresh is an address that nobody has been at.
func (v *visiting) fresh(kind string) string { return fmt.Sprintf("/fresh/%s/r%d/", kind, v.number) }

func (v *visiting) own(kind string) string { return v.fresh(fmt.Sprintf("%s-%d", kind, v.me.Number)) }

// wantsMine notes an answer without the visitor's own mark.
func (v *visiting) wantsMine(what string, got answer) {
	if !strings.Contains(strings.ToLower(string(got.body)), v.me.Mark) {
		v.problem("%s, %s: status %d, location %q, %s, without what is the visitor's own", v.group.name, what, got.status, got.location,
			got.header.Get(statusOfCache))
	}
}

// wantsOwnWords notes an answer without the text of a post that nobody else sees. The mark alone is in errors too.
func (v *visiting) wantsOwnWords(what string, got answer) {
	if !strings.Contains(string(got.body), "What "+v.me.Mark+" alone may see") {
		v.problem("%s, %s: status %d, location %q, without the visitor's own words", v.group.name, what, got.status, got.location)
	}
}

// wantsKnown notes an answer to somebody whom WordPress takes for nobody. The mark alone is in his cookies too.
func (v *visiting) wantsKnown(what string, got answer) {
	if !strings.Contains(string(got.body), `"user":["`+v.me.Mark+`"`) {
		v.problem("%s, %s: status %d, location %q, %s: the visitor is not known", v.group.name, what, got.status, got.location,
			got.header.Get(statusOfCache))
	}
}

// wantsNobodys notes an answer that knows the visitor where it may not.
func (v *visiting) wantsNobodys(what string, got answer) {
	if strings.Contains(strings.ToLower(fmt.Sprint(got.header)+string(got.body)), v.me.Mark) {
		v.problem("%s, %s: WordPress was shown something of the visitor's", v.group.name, what)
	}
}

func cookieHeader(cookies string) http.Header { return http.Header{"Cookie": {cookies}} }

// cookiesOf an answer, as the browser sends them back; none that are taken away.
func cookiesOf(got answer) string {
	var pairs []string
	for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
		if cookie.MaxAge >= 0 && strings.TrimSpace(cookie.Value) != "" {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

func oneOf[T any](list ...T) T { return list[mathrand.IntN(len(list))] }

// told is a value that the plugin wrote into a page.
func told(page answer, name string) string {
	found := regexp.MustCompile(`"` + name + `":"([^"]*)"`).FindSubmatch(page.body)
	if found == nil {
		return ""
	}
	return string(found[1])
}

func (v *visiting) loggedIn() {
	page := oneOf(v.fresh("article-0"), v.site.article.path)
	v.wantsKnown("a page", v.inTurn(page, cookieHeader("wordpress_test_cookie=WP+Cookie+check; "+v.me.LoggedIn)))
}

var logOutLink = regexp.MustCompile(`/wp-login\.php\?action=logout&[^"' ]+`)

func (v *visiting) logInAndOut() {
	page := v.fresh("article-0")
	if !v.isMarkedFirst {
		v.everybodys(v.here, page)
	}
	in := v.ask(visit{by: v.me, at: v.here, method: http.MethodPost, path: "/wp-login.php", header: cookieHeader("wordpress_test_cookie=WP+Cookie+check"),
		body: url.Values{"log": {v.me.Mark}, "pwd": {fmt.Sprintf("secret-%d", v.me.Number)}, "testcookie": {"1"}}})
	cookies := cookieHeader(cookiesOf(in))
	shown := v.mine(page, cookies)
	v.wantsKnown("the page after the log-in", shown)
	v.everybodys(v.here, page)
	link := logOutLink.FindString(html.UnescapeString(string(shown.body)))
	if link == "" {
		v.problem("%s: no way to log out: status %d, location %q", v.group.name, in.status, in.location)
		return
	}
	out := v.mine(link, cookies)
	after := v.mine(page, cookieHeader("wordpress_test_cookie=WP+Cookie+check; "+cookiesOf(out)))
	v.wantsNobodys("the page after the log-out", after)
	ended := v.mine(v.fresh("article-1"), cookies)
	if told(ended, "user") != "nobody" {
		v.problem("%s: a log-in that has ended is still one: status %d", v.group.name, ended.status)
	}
}

func (v *visiting) sealedPost() {
	page := v.own("sealed")
	open := func(by *marked, password string) http.Header {
		got := v.ask(visit{by: by, at: v.here, method: http.MethodPost, path: "/wp-login.php?action=postpass", body: url.Values{"post_password": {password}}})
		return cookieHeader(cookiesOf(got))
	}
	right, wrong := open(v.me, fmt.Sprintf("seal-%d", v.me.Number)), open(v.other, "wrong")
	v.wantsOwnWords("a sealed page", v.inTurn(page, right))
	for _, at := range []*door{v.here, v.there} {
		if got := v.ask(visit{by: v.other, at: at, path: page, header: wrong}); !strings.Contains(string(got.body), "post_password") {
			v.problem("%s: a wrong password is shown no form: status %d", v.group.name, got.status)
		}
	}
	article := v.fresh("article-0")
	v.nobody(v.here, article)
	v.nobody(v.here, article)
}

func (v *visiting) commenter() {
	form := url.Values{
		"comment": {fmt.Sprintf("Remark %d of %s", v.number, v.me.Mark)}, "author": {"Commenter " + v.me.Mark}, "email": {v.me.Mark + "@example.com"},
		"comment_post_ID": {fmt.Sprint(v.posts["article"])}, "submit": {"Post Comment"},
	}
	const consent = "wp-comment-cookies-consent"
	if oneOf(true, false) {
		form.Set(consent, "yes")
	}
	sent := v.ask(visit{by: v.me, at: v.here, method: http.MethodPost, path: "/wp-comments-post.php", body: form})
	to, err := url.Parse(sent.location)
	if err != nil || sent.status != http.StatusFound {
		v.problem("%s: a comment leads to %q, status %d: %s", v.group.name, sent.location, sent.status, excerpt(sent.body))
		return
	}
	v.nobody(v.here, to.Path)
	v.nobody(v.there, to.Path)
	if form.Has(consent) {
		v.wantsMine("the form and what waits", v.inTurn(v.fresh("article-0"), cookieHeader(cookiesOf(sent))))
	} else {
		v.wantsMine("a comment that waits, by its own address", v.mine(to.RequestURI(), nil))
		v.nobody(v.here, to.Path+"?unapproved="+to.Query().Get("unapproved")+"&moderation-hash=0123456789abcdef0123456789abcdef")
	}
	v.nobody(v.here, to.Path)
}

func (v *visiting) unpublished() {
	kind := "hidden"
	switch v.me.Number % 5 {
	case 0: // subscribers write nothing
	case 1: // contributors publish nothing
		kind = oneOf("draft", "hidden")
	default:
		kind = oneOf("draft", "hidden", "future")
	}
	page := v.own(kind)
	shown := v.inTurn(page, cookieHeader(v.me.LoggedIn))
	v.wantsOwnWords(kind, shown)
	id := fmt.Sprint(v.posts[fmt.Sprintf("%s-%d", kind, v.me.Number)])
	preview := "/?p=" + id + "&preview=true" + oneOf("", "&preview_id="+id+"&preview_nonce="+told(shown, "preview"))
	v.wantsOwnWords("the preview of "+kind, v.mine(preview, cookieHeader(v.me.LoggedIn)))
	v.nobody(v.here, preview)
	article := v.fresh("article-0")
	v.nobody(v.here, article)
	v.nobody(v.here, article)
}

func (v *visiting) cookies() {
	page := v.fresh("article-0")
	if oneOf(true, false) {
		header := cookieHeader("a=b; " + oneOf("woocommerce_items_in_cart", "wp_woocommerce_session_0123", "PHPSESSID", "edd_items_in_cart", "wordpress_other") + "=" + v.me.Mark)
		v.wantsMine("a page with a cookie that WordPress must see", v.inTurn(page, header))
		return
	}
	header := cookieHeader(oneOf("favourites", "lang", "_ga", "wp-settings-1", "session") + "=" + v.me.Mark)
	v.wantsNobodys("a page with a cookie of no effect", v.inTurn(page, header))
}

// changes asks for a page three times, each of which makes it anew, and what it gives to one alone from then on goes to one each.
func (v *visiting) changes(kind string) {
	from := oneOf(1, 3)
	page := v.fresh(fmt.Sprintf("%s-%d", kind, from))
	header := http.Header{"User-Agent": {"Mozilla/5.0 " + v.me.Mark}}
	var last answer
	for range 3 {
		if last = v.nobody(v.here, page); v.isMarkedFirst {
			last = v.mine(page, header)
		}
		if from > 1 {
			v.nobody(v.here, "/?leaks-forget="+page)
		}
	}
	for range 2 {
		last = v.nobody(v.here, page)
		v.wantsNobodys("a page that "+v.group.name, v.mine(page, header))
		v.nobody(v.there, page)
	}
	if !alonePattern.Match(last.body) {
		v.problem("%s: %s gives nothing to one alone: status %d, %s", v.group.name, page, last.status, last.header.Get(statusOfCache))
	}
	v.nobody(v.here, "/fresh/turning-3/always/")
	article := v.fresh("article-0")
	v.nobody(v.here, article)
	v.nobody(v.here, article)
}

func (v *visiting) setsCookie() { v.changes("cookie") }

func (v *visiting) turnsPrivate() { v.changes(oneOf("private", "nostore")) }

func (v *visiting) authorization() {
	basic := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(v.me.Mark+":"+v.me.Application))}}
	const self, ajax = "/wp-json/wp/v2/users/me?context=edit", "/wp-admin/admin-ajax.php?action=leaks"
	page := v.fresh("article-0")
	v.wantsMine("a page with a password", v.inTurn(page, basic))
	switch oneOf(0, 1, 2) {
	case 0:
		v.wantsMine("REST with a password for programs", v.mine(self, basic))
		v.nobody(v.here, self)
	case 1:
		header := cookieHeader(v.me.LoggedIn)
		header.Set("X-WP-Nonce", told(v.mine(page, header), "rest"))
		v.wantsMine("REST with cookie and nonce", v.mine(self, header))
		v.nobody(v.here, self)
		v.nobody(v.here, page)
	default:
		v.wantsMine("admin-ajax", v.mine(ajax, cookieHeader(v.me.LoggedIn)))
		v.nobody(v.here, ajax)
	}
}

func (v *visiting) hosts() {
	page, name := v.fresh("article-0"), v.me.Mark+".example"
	if oneOf(true, false) {
		header := oneOf(
			http.Header{"X-Forwarded-Host": {name}}, http.Header{"Forwarded": {"host=" + name + ";for=" + name}}, http.Header{"X-Original-URL": {"/" + v.me.Mark}},
			http.Header{"X-Rewrite-URL": {"/" + v.me.Mark}}, http.Header{"X-Forwarded-Server": {name}, "X-Host": {name}},
			http.Header{"X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {v.me.Mark}}, http.Header{"X-Forwarded-For": {v.me.Mark}},
			http.Header{"X-Forwarded-Prefix": {"/" + v.me.Mark}},
		)
		v.wantsNobodys("a page with a header of no effect", v.inTurn(page, header))
		return
	}
	host := oneOf(strings.ToUpper(v.here.host), v.here.host+":443", v.here.host+":"+fmt.Sprint(v.number), v.here.host+".", name, v.me.Mark+"."+v.here.host)
	strange := &door{v.here.name, &site{client: v.here.client, base: v.here.base, host: host}}
	wish := visit{by: v.me, at: strange, path: page}
	if v.isMarkedFirst {
		v.ask(wish)
	}
	v.everybodys(v.here, page)
	v.ask(wish)
	v.everybodys(v.here, page)
	v.everybodys(v.there, page)
}

// paths are those by which a cache may take a page of the visitor's own for a file, or the other way round.
func (v *visiting) paths() {
	id := fmt.Sprintf("r%d", v.number)
	page := "/fresh/article-0/" + id
	way := oneOf("/wp-admin/"+id+".css", "/wp-admin/profile.php/"+id+".css", "/wp-admin/profile.php?ver="+id, "/account/"+id+".css", "/my-account/"+id+".css",
		"/%77p-admin/profile.php/"+id, "/%77p-admin/admin-ajax.php?action=leaks&r="+id, "/wp-admin/admin-ajax.php/"+id+".css?action=leaks", "//wp-admin/profile.php/"+id,
		page+"/a.css", page+"/a.css?ver=1", page+";a.css", page+"/%2e%2e/"+id+"x/", "/"+page+"/", page+"//", page+".php/x", "/index.php"+page+"/", page+"/%3Fa.css",
		page+"%0a.css", "/x/%2e%2e"+page+"/", "/./"+page+"/", page+"/%00.js", strings.ToUpper(page)+"/")
	v.inTurn(way, cookieHeader(v.me.LoggedIn))
	v.everybodys(v.there, page+"/")
	v.everybodys(v.there, page+"/")
}

func (v *visiting) methods() {
	page := v.fresh("article-0")
	marked := func(more http.Header) http.Header {
		more.Set("User-Agent", "Mozilla/5.0 "+v.me.Mark)
		return more
	}
	wish := oneOf(
		visit{header: marked(http.Header{"X-Http-Method-Override": {"POST"}})}, visit{header: marked(http.Header{"X-Wp-Nonce": {v.me.Mark}})},
		visit{header: marked(http.Header{"Origin": {"https://" + v.me.Mark + ".example"}})}, visit{method: http.MethodPost, body: url.Values{"words": {v.me.Mark}}},
		visit{method: http.MethodPut, body: url.Values{"words": {v.me.Mark}}}, visit{method: "PURGE", header: marked(http.Header{})},
		visit{method: http.MethodOptions, header: marked(http.Header{})}, visit{method: http.MethodHead, header: marked(http.Header{})},
		visit{header: marked(http.Header{"Range": {"bytes=0-50"}})}, visit{header: marked(http.Header{"If-None-Match": {`"` + v.me.Mark + `"`}})},
		visit{header: marked(http.Header{"If-Modified-Since": {"Sat, 29 Nov 2036 00:00:00 GMT"}})}, visit{header: marked(http.Header{"Upgrade": {v.me.Mark}, "Connection": {"upgrade"}})},
		visit{header: marked(http.Header{"X-Long": {strings.Repeat(v.me.Mark, 1000)}})},
		visit{header: marked(http.Header{"X-Longer": {strings.Repeat(v.me.Mark, 3000)}})},
	)
	wish.by, wish.at, wish.path = v.me, v.here, page
	if v.isMarkedFirst {
		v.ask(wish)
	}
	v.complete(v.here, page)
	v.complete(v.there, page)
	v.ask(wish)
	v.complete(v.here, page)
}

// complete wants the whole page.
func (v *visiting) complete(at *door, path string) {
	if got := v.everybodys(at, path); got.status != http.StatusOK || !strings.Contains(string(got.body), "</html>") {
		v.problem("%s: nobody is shown %s at %s with status %d, %d bytes", v.group.name, path, at.name, got.status, len(got.body))
	}
}

func (v *visiting) encodings() {
	page := v.fresh("article-0")
	asked := oneOf("gzip", "gzip, deflate, br", "gzip;q=0", "identity", "*", "gzip;q="+v.me.Mark, v.me.Mark, ",,;", "br", "x-gzip", strings.Repeat("gzip,", 200))
	header := http.Header{"Accept-Encoding": {asked}, "User-Agent": {v.me.Mark}}
	v.wantsNobodys("a page in an encoding", v.inTurn(page, header))
	if got := v.ask(visit{at: v.here, path: page, header: http.Header{"Accept-Encoding": {"identity"}}}); got.header.Get("Content-Encoding") != "" ||
		!strings.Contains(string(got.body), "</html>") {
		v.problem("%s: after %q, who takes no encoding is given %q", v.group.name, asked, got.header.Get("Content-Encoding"))
	}
	v.ask(visit{at: v.here, path: page, header: http.Header{"Accept-Encoding": {"gzip"}}})
}

func (v *visiting) mobile() {
	page := oneOf(v.fresh("article-0"), v.fresh("article-0"), "/")
	v.wantsNobodys("a page for a kind of browser", v.inTurn(page, http.Header{
		"User-Agent": {oneOf("Mozilla/5.0 (iPhone) Mobile ", "Googlebot/2.1 ", "") + v.me.Mark}, "Accept-Language": {"de;" + v.me.Mark}, "Referer": {"https://" + v.me.Mark + ".example/"},
		"Accept": {oneOf("text/html", "application/json", v.me.Mark)}, "Save-Data": {"on"}, "Sec-CH-UA-Mobile": {"?1"}, "X-Device": {v.me.Mark},
	}))
}

func (v *visiting) queries() {
	page := oneOf(v.fresh("article-0"), v.fresh("article-0"), "/", "/feed/")
	query := oneOf("utm_source="+v.me.Mark, "fbclid="+v.me.Mark+"&utm_campaign=a", "utm_campaign=a&fbclid="+v.me.Mark, "utm_source="+v.me.Mark+"&other="+v.me.Mark,
		"other="+v.me.Mark+"&utm_source=a", "s="+v.me.Mark, "ver="+v.me.Mark, "utm_source="+v.me.Mark+"#a", "UTM_SOURCE="+v.me.Mark, "utm_source%5B%5D="+v.me.Mark, "=&"+v.me.Mark)
	wish := visit{by: v.me, at: v.here, path: page + "?" + query}
	if v.isMarkedFirst {
		v.ask(wish)
	}
	for _, suffix := range []string{"", "?", "?utm_source=", "?gclid=somebody"} {
		v.nobody(v.here, page+suffix)
	}
	v.nobody(v.there, page)
	if got := v.ask(wish); strings.HasPrefix(query, "utm_source=") && !strings.Contains(query, "other") {
		v.wantsNobodys("a page with what only counts clicks", got)
	}
	v.nobody(v.here, page)
}

func (v *visiting) nonces() {
	page := oneOf(v.fresh("article-0"), "/fresh/article-0/always/")
	shown := v.inTurn(page, cookieHeader(v.me.LoggedIn))
	accepted := func(what string, got answer) {
		if string(got.body) != "accepted" {
			v.problem("%s: the number in %s is %s: status %d", v.group.name, what, excerpt(got.body), got.status)
		}
	}
	const check = "/wp-admin/admin-ajax.php?action=leaks_nonce&nonce="
	kept := told(v.nobody(v.here, page), "nonce")
	accepted("everybody's page", v.nobody(v.here, check+kept))
	accepted("the visitor's page", v.mine(check+told(shown, "nonce"), cookieHeader(v.me.LoggedIn)))
	if got := v.nobody(v.here, check+told(shown, "nonce")); string(got.body) == "accepted" {
		v.problem("%s: the visitor's number is good for nobody", v.group.name)
	}
}
