"""What does not fit into the window of a page, and what is too faint to read."""

import os
from pathlib import Path

from playwright.sync_api import Page

_OUTSIDE = """scrolling => {
  const found = [], unseen = "[hidden], .md-sidebar, .md-search, .md-header, svg *";
  if (document.documentElement.scrollWidth > innerWidth) found.push("the page scrolls sideways");
  for (const one of document.body.querySelectorAll("*")) {
    if (one.closest(`${scrolling}, ${unseen}`)) continue;
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || getComputedStyle(one).position === "fixed") continue;
    if (box.right + scrollX > innerWidth + 1 || box.left + scrollX < -1)
      found.push(`${one.tagName}.${one.className} ${box.left} to ${box.right}`);
  }
  for (const one of document.body.querySelectorAll("*")) {
    const look = getComputedStyle(one);
    if (one.closest(unseen) || one.clientWidth < 8 || look.textOverflow === "ellipsis") continue;
    if (!["hidden", "clip"].includes(look.overflowX)) continue;
    if (one.scrollWidth > one.clientWidth + 1) found.push(`${one.tagName}.${one.className} is cut`);
  }
  return found;
}"""

_FAINT = """() => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const light = value =>
    (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const weights = [0.2126, 0.7152, 0.0722];
  const luminance = rgb => weights.reduce((sum, w, i) => sum + w * light(rgb[i]), 0);
  const over = (top, below) => {
    const share = top[3] ?? 1;
    return [0, 1, 2].map(i => share * top[i] + (1 - share) * below[i]);
  };
  const behind = one => {
    const own = channels(getComputedStyle(one).backgroundColor);
    const base = one.parentElement ? behind(one.parentElement) : canvas();
    return over(own, base);
  };
  const canvas = () => {
    const probe = document.createElement("div");
    probe.style.backgroundColor = "Canvas";
    document.body.append(probe);
    const found = channels(getComputedStyle(probe).backgroundColor);
    probe.remove();
    return found;
  };
  const found = [], unseen = "[hidden], .md-search__overlay, .md-search__output, .md-overlay";
  for (const one of document.body.querySelectorAll("*")) {
    if (one.matches("script, style, title, option, select") || one.closest(unseen)) continue;
    if (![...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
    const look = getComputedStyle(one);
    if (!one.getClientRects().length || look.visibility === "hidden") continue;
    let shown = 1;
    for (let up = one; up; up = up.parentElement) shown *= getComputedStyle(up).opacity;
    if (shown < 0.05) continue;
    const ink = channels(one instanceof SVGElement ? look.fill : look.color);
    const back = behind(one), fore = over([...ink.slice(0, 3), shown * (ink[3] ?? 1)], back);
    const [low, high] = [luminance(back), luminance(fore)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    const named = `${one.tagName} ${one.textContent.trim().slice(0, 40)}`;
    if (contrast < 4.5) found.push(`${named}: ${contrast.toFixed(2)}`);
  }
  return found;
}"""


def outside(page: Page, scrolling: str) -> list[str]:
    """The elements that reach beyond the window or are cut, but those in boxes that scroll."""
    return page.evaluate(_OUTSIDE, scrolling)


def faint(page: Page) -> list[str]:
    """The texts whose contrast to what is behind them is below 4.5 (WCAG 2.1)."""
    return page.evaluate(_FAINT)


def picture(page: Page, name: str) -> None:
    """Save a picture of the page in the folder HASHGNN_PICTURES, if the variable is set."""
    settled(page)
    if folder := os.environ.get("HASHGNN_PICTURES"):
        width = page.evaluate("innerWidth")
        scheme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        path = Path(folder, f"{name}-{width}-{'dark' if scheme else 'light'}.png")
        page.screenshot(path=path, full_page=True)


def settled(page: Page) -> None:
    """Let everything that moves on the page be where it ends."""
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    page.wait_for_timeout(50)  # scripts that follow the page's loading
