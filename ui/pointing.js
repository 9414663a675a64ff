// Pointing into the picture: clicks choose, and with a brush strokes paint; the left button adds,
// the right one takes away. All is told in the picture's own pixels, however it is shown.
const shown = (event) => event.target.closest?.('.mount')?.querySelector('img[data-look]');
const ruler = (img) => {
  const box = img.getBoundingClientRect(), wide = img.naturalWidth, high = img.naturalHeight;
  const scale = Math.min(box.width / wide, box.height / high);
  return (event) => [
    (event.clientX - box.left - (box.width - wide * scale) / 2) / scale,
    (event.clientY - box.top - (box.height - high * scale) / 2) / scale,
  ];
};
const click = (event, keep) => {
  const img = shown(event);
  if (!img) return;
  event.preventDefault();
  if (img.dataset.brush) return;
  const [x, y] = ruler(img)(event);
  if (x < 0 || y < 0 || x >= img.naturalWidth || y >= img.naturalHeight) return;
  trigger('select', {x: x, y: y, keep: keep, look: img.dataset.look});
};
element.addEventListener('click', (event) => click(event, true));
element.addEventListener('contextmenu', (event) => click(event, false));
element.addEventListener('dragstart', (event) => event.preventDefault());

let stroke = null;
element.addEventListener('pointerdown', (event) => {
  const img = shown(event);
  if (!img?.dataset.brush || event.button > 2 || event.button === 1) return;
  event.preventDefault();
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'stroke');
  svg.setAttribute('viewBox', `0 0 ${img.naturalWidth} ${img.naturalHeight}`);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  line.style.strokeWidth = img.dataset.brush;
  svg.append(line);
  img.parentElement.append(svg);
  const keep = event.button !== 2 && !img.dataset.erase;
  svg.classList.toggle('erase', !keep);
  // the picture may be renewed while the stroke goes on: what is needed of it is kept
  const told = {width: Number(img.dataset.brush), keep: keep, look: img.dataset.look};
  stroke = {told, line, spot: ruler(img), points: []};
  more(event);
});
const more = (event) => {
  if (!stroke) return;
  const [x, y] = stroke.spot(event), last = stroke.points.at(-1);
  if (last && Math.hypot(x - last[0], y - last[1]) < 2) return;
  stroke.points.push([x, y]);
  // a line of no length would not be seen
  stroke.line.setAttribute('points', [...stroke.points, [x + 0.01, y]].join(' '));
};
// an answer to the stroke before draws the picture anew: the one being painted stays in sight
new MutationObserver(() => {
  const svg = stroke?.line.parentElement;
  if (svg && !svg.isConnected) element.querySelector('.mount img[data-look]')?.parentElement.append(svg);
}).observe(element, {childList: true, subtree: true});
window.addEventListener('pointermove', more);
window.addEventListener('pointercancel', () => {
  stroke?.line.parentElement?.remove();
  stroke = null;
});
window.addEventListener('pointerup', () => {
  if (!stroke) return;
  const {told, points} = stroke;
  stroke = null;
  trigger('select', {...told, stroke: points});
});
