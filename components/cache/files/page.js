// The versions of pages, which are part of what a page is kept under: a change steps them, and a page that is made meanwhile is kept under
// the version that was there when it was asked for. Nothing has to be found and deleted, and nothing comes back.
import crypto from 'crypto';
import fs from 'fs';

// What stands here runs anew for each request: what is to last lies in the zones.

// The entries of all pages, and of when this pod began, in the zone of versions; no path begins like them.
const all = '*';
const begun = '*begun';

// Where WordPress has failed at a page, one request in so many milliseconds asks it again, and the others get what is kept.
const patience = 5000;

// WordPress finds this pod by the cluster's DNS, which may be so late, in milliseconds. What is kept until then lives for a moment only: a
// change could not be told.
const unknown = 60000;
const moment = 5000;

// generation begins with the time: what an earlier process kept in the same folder is of no use, for changes may have passed it by.
function generation(zone) {
	return since(zone, all);
}

// since tells the moment at which an entry was first asked for.
function since(zone, name) {
	const found = zone.get(name);
	if (found !== undefined) {
		return found;
	}
	zone.add(name, Date.now());
	return zone.get(name);
}

// place is the one name of all spellings of a path.
function place(path) {
	let found = path.toLowerCase();
	if (found.indexOf('//') !== -1) {
		found = found.replace(/\/+/g, '/');
	}
	return found.length > 1 && found[found.length - 1] === '/' ? found.substring(0, found.length - 1) : found;
}

// changes of a request's path: the version of all pages, and how often it and the paths above it were stepped. The front page is above none.
function changes(r) {
	const zone = ngx.shared.versions;
	const path = place(r.uri);
	let steps = zone.get(path) || 0;
	for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
		steps += zone.get(path.substring(0, end)) || 0;
	}
	return generation(zone) + '.' + steps;
}

// version of a request's path: its changes, and the moment, while a change could not be told. It also fills in whether the page was not kept when
// it was last made, and the earlier version that it was kept under last: every kept page that is shown costs this, and a call costs more than what it does.
function version(r) {
	const v = r.variables;
	let found = changes(r);
	const age = Date.now() - since(ngx.shared.versions, begun);
	if (age < unknown) {
		found += '.' + Math.floor(age / moment);
	}
	if (ngx.shared.unkept.has(v.page)) {
		v.unkept = '1';
	}
	const last = ngx.shared.kept.get(v.page);
	if (last !== undefined && last !== found) {
		v.kept = earlier(v.page, last, found);
	}
	return found;
}

// remember under which version a page was kept last, and that WordPress has just failed to make it anew; and what is not kept at all: for that, nobody waits for somebody else's answer. What was
// kept and no longer may be is forgotten, or it would be shown until its last day. What was asked for before the last change says nothing of the page
// as it is now: it may come later than a newer one, or than the news that the page is gone.
function remember(r) {
	const v = r.variables;
	const status = v.upstream_cache_status || '';
	const isStill = status === 'STALE' && v.upstream_status !== undefined;
	if (!isStill && (status === 'HIT' || status === 'STALE' || status === 'UPDATING' || r.status >= 500)) {
		return;
	}
	if (!(v.version + '.').startsWith(changes(r) + '.')) {
		return;
	}
	const name = v.page;
	if (isStill) {
		ngx.shared.kept.set(name, v.version + ' ' + (Date.now() + patience) + ' still');
		return;
	}
	if (v.keep_out === '' && v.upstream_http_set_cookie === undefined) {
		ngx.shared.unkept.delete(name);
		if (status !== '') {
			ngx.shared.kept.set(name, v.version);
		}
		return;
	}
	ngx.shared.unkept.set(name, 1);
	ngx.shared.kept.delete(name);
	if (status === 'EXPIRED') {
		step(ngx.shared.versions, [r.uri]);
	}
}

// earlier is the version that a page was kept under last, where it is not the present one; with "now" before it where WordPress need not be
// asked, because it has just failed: at the present one beyond its time, which is "still" of use, or at what came after it.
function earlier(name, last, present) {
	const found = last.split(' ');
	const now = Date.now();
	const failed = found.length > 1 && now < Number(found[1]);
	const isStill = found.length === 3;
	if (found[0] === present) {
		return failed && isStill ? 'now ' + present : '';
	}
	if (found.length === 1 || isStill) {
		return found[0];
	}
	if (failed) {
		return 'now ' + found[0];
	}
	ngx.shared.kept.set(name, found[0] + ' ' + (now + patience));
	return found[0];
}

// keptVersion is asked for when WordPress has failed at a page of which there is an earlier version.
function keptVersion(r) {
	const found = r.variables.kept.split(' ');
	if (found[0] === 'now') {
		return found[1];
	}
	ngx.shared.kept.set(r.variables.page, found[0] + ' ' + (Date.now() + patience));
	return found[0];
}

function token() {
	// As WordPress reads it: without what an editor leaves at the end.
	const key = fs.readFileSync('{{.KeyPath}}', 'utf8').replace(/[\r\n]+$/, '');
	return crypto.createHmac('sha256', key).update('{{.TokenPurpose}}').digest('hex');
}

function isEqual(a, b) {
	let difference = a.length ^ b.length;
	for (let i = 0; i < a.length; i++) {
		difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
	}
	return difference === 0;
}

function mayPurge(r) {
	return isEqual('Bearer ' + token(), r.headersIn.Authorization || '');
}

// purgeAll steps the version of all pages; those of single paths begin again.
function purgeAll(zone) {
	const next = Math.max(Date.now(), generation(zone) + 1);
	const first = since(zone, begun);
	zone.clear();
	zone.set(all, next);
	zone.set(begun, first);
}

// step steps the versions of paths.
function step(zone, paths) {
	try {
		paths.forEach(path => zone.incr(place(String(path)), 1, 0));
	} catch (e) {
		// No room for another path.
		purgeAll(zone);
	}
}

// purge takes {"all": true} or {"paths": ["/…", …]}, each with everything below it.
function purge(r) {
	if (r.method !== 'POST' || !mayPurge(r)) {
		r.return(403, 'WordPress alone purges pages.\n');
		return;
	}
	let wish = null;
	try {
		wish = JSON.parse(r.requestText);
	} catch (e) {
		// Said below.
	}
	if (wish === null || !(wish.all === true || Array.isArray(wish.paths))) {
		r.return(400, 'want {"all": true} or {"paths": ["/…"]}\n');
		return;
	}
	const zone = ngx.shared.versions;
	if (wish.all === true) {
		purgeAll(zone);
	} else {
		step(zone, wish.paths);
	}
	r.return(204);
}

export default { version, remember, keptVersion, purge };
