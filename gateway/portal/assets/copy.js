// Copy buttons: shown only where scripts run, and replaced contents get theirs too.
(() => {
  const show = (root) => {
    for (const button of root.querySelectorAll('button.copy[hidden]')) button.hidden = false;
  };

  /** Browsers offer the clipboard to secure pages only; a gateway inside an office network may be plain HTTP. */
  const copyOldWay = (text) => {
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('readonly', '');
    area.className = 'skip';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  };

  const copy = async (text) => {
    if (navigator.clipboard === undefined) return copyOldWay(text);
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyOldWay(text);
    }
  };

  document.addEventListener('click', async (event) => {
    const button = event.target instanceof Element ? event.target.closest('button.copy') : null;
    if (button === null || button.dataset.before !== undefined) return;
    if (!(await copy(button.dataset.copy))) return;
    button.focus();
    button.dataset.before = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = button.dataset.before;
      delete button.dataset.before;
    }, 1500);
  });

  show(document);
  new MutationObserver(() => show(document)).observe(document.body, { childList: true, subtree: true });
})();
