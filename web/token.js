// The token: comes in the URL's fragment (which never leaves the browser), is kept for this tab only, and does not
// stay in the address bar, where a screenshot or a shared link would give it away.

const kKey = 'edgecam.token';

/** The token from the address or from this tab's storage; empty when there is none. */
export function takeToken() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const given = fragment.get('token');
    if (given) {
        keepToken(given);
        fragment.delete('token');
        const rest = fragment.toString();
        history.replaceState(null, '', location.pathname + location.search + (rest ? `#${rest}` : ''));
        return given;
    }
    try {
        return sessionStorage.getItem(kKey) ?? '';
    } catch {
        return '';  // storage is switched off: the form asks each time
    }
}

/** @param {string} token empty: forget it */
export function keepToken(token) {
    try {
        if (token) sessionStorage.setItem(kKey, token);
        else sessionStorage.removeItem(kKey);
    } catch {
        // Storage is switched off: the token lives as long as the page.
    }
}
