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
  const found = [], texts = "p, td, th, h1, h2, h3, li, label, figcaption, small";
  for (const one of document.body.querySelectorAll(texts)) {
    if (![...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
    if (!one.getClientRects().length) continue;
    const back = behind(one), fore = over(channels(getComputedStyle(one).color), back);
    const [low, high] = [luminance(back), luminance(fore)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    const named = `${one.tagName} ${one.textContent.trim().slice(0, 40)}`;
    if (contrast < 4.5) found.push(`${named}: ${contrast.toFixed(2)}`);
  }
  return found;
}"""


def outside(page: Page, scrolling: str) -> list[str]:
    """The elements that reach beyond the window, but those in boxes that scroll."""
    return page.evaluate(_OUTSIDE, scrolling)


def faint(page: Page) -> list[str]:
    """The texts whose contrast to what is behind them is below 4.5 (WCAG 2.1)."""
    return page.evaluate(_FAINT)


def picture(page: Page, name: str) -> None:
    """Save a picture of the page in the folder HASHGNN_PICTURES, if the variable is set."""
    if folder := os.environ.get("HASHGNN_PICTURES"):
        width = page.evaluate("innerWidth")
        scheme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        path = Path(folder, f"{name}-{width}-{'dark' if scheme else 'light'}.png")
        page.screenshot(path=path, full_page=True)
