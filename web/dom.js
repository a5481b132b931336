// Elements made in one expression. No markup from strings: what the agent says is text, never HTML.

const kSvg = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Object<string, unknown>} [attributes] `class`, `on…` listeners, `text`, booleans, or plain attributes
 * @param {...(Node|string|null)} children
 */
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name === 'text') made.textContent = value;
        else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
        else if (typeof value === 'boolean') made.toggleAttribute(name, value);
        else if (value !== undefined && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
}

/** Paths on a 24×24 grid, drawn as strokes. */
const kIcons = {
    play: 'M7 5l12 7-12 7z',
    stop: 'M7 7h10v10H7z',
    camera: 'M4 8h3l2-2.5h6L17 8h3v11H4z M12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z',
    more: 'M12 6v.01 M12 12v.01 M12 18v.01',
    face: 'M12 12.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6z M4.8 20c.8-3.4 3.6-5 7.2-5s6.4 1.6 7.2 5',
    expand: 'M5 10V5h5 M19 10V5h-5 M5 14v5h5 M19 14v5h-5',
};

/** An icon that takes the text's colour; hidden from screen readers, the button around it has a name. */
export function icon(name) {
    const svg = document.createElementNS(kSvg, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', `icon icon-${name}`);
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS(kSvg, 'path');
    path.setAttribute('d', kIcons[name]);
    svg.append(path);
    return svg;
}

/** Writes text only when it changed: figures are refreshed often and layout is not free. */
export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}
