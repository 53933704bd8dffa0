// Looks at a page as it is laid out in a frame, and writes what is wrong with it into the page around: one line each,
// percent-encoded.
const wrong = [];
const box = (element) => element.getBoundingClientRect();
// What a curve or a rounded letter may reach over.
const SLACK = 0.5;
const overlap = (a, b) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > SLACK &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > SLACK;

for (const svg of document.querySelectorAll("svg[role=img]")) {
  const name = svg.getAttribute("aria-label");
  const view = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll("text")];
  for (const text of texts) {
    const { x, y, width, height } = text.getBBox();
    const inside = x >= view.x && y >= view.y && x + width <= view.x + view.width && y + height <= view.y + view.height;
    if (!inside) {
      wrong.push(`${name}: "${text.textContent}" is outside`);
    }
  }
  const marks = [...svg.querySelectorAll("path, circle")];
  texts.forEach((text, index) => {
    for (const other of [...texts.slice(0, index), ...marks]) {
      if (overlap(box(text), box(other))) {
        wrong.push(`${name}: "${text.textContent}" and ${other.tagName} "${other.textContent}" overlap`);
      }
    }
  });
  if (!svg.querySelector(".axis")) wrong.push(`${name}: no axis has a title`);
}

// Wide tables scroll in boxes of their own.
if (document.documentElement.scrollWidth > innerWidth) {
  for (const element of document.querySelectorAll("main *")) {
    if (box(element).right > innerWidth && !element.closest(".scroll")) wrong.push(`${element.outerHTML.slice(0, 80)} is too wide`);
  }
  wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
}
// Blocks of text and charts stand below or beside one another.
for (const parent of document.querySelectorAll("main, section, .charts, .beside, figure, header")) {
  [...parent.children].forEach((child, index, all) => {
    const next = all[index + 1];
    if (next && overlap(box(child), box(next))) wrong.push(`${child.tagName} and ${next.tagName} overlap`);
  });
}

for (const element of document.querySelectorAll("[src], [href], [data], [action]")) {
  const target = element.getAttribute("href") ?? "";
  if (element.tagName !== "A" || !/^(data:text\/csv|#)/.test(target)) wrong.push(`${element.tagName} loads something`);
}
if (performance.getEntriesByType("resource").length > 0) wrong.push("something was requested");

const result = document.createElement("pre");
result.className = "check";
const charts = document.querySelectorAll("svg[role=img]").length;
const ground = getComputedStyle(document.body).backgroundColor;
result.textContent = [`${innerWidth} ${charts} ${ground}`, ...wrong].map(encodeURIComponent).join("\n");
parent.document.body.append(result);
