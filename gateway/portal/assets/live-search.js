// The list follows what is typed. The server finds; without this script the form's button does the same.
(() => {
  const form = document.querySelector('form[data-live]');
  if (form === null) return;
  const selector = form.dataset.live;
  const PAUSE_MS = 200;
  let timer;
  let running;

  const address = () => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (value === '') query.delete(name);
    const search = query.toString();
    return search === '' ? form.action : `${form.action}?${search}`;
  };

  const take = (page, url) => {
    document.querySelector(selector).replaceWith(page.querySelector(selector));
    const language = page.querySelector('[data-language]').getAttribute('href');
    document.querySelector('[data-language]').setAttribute('href', language);
    history.replaceState(null, '', url);
  };

  const refresh = async () => {
    clearTimeout(timer);
    running?.abort();
    running = new AbortController();
    const url = address();
    try {
      const response = await fetch(url, { signal: running.signal });
      if (!response.ok) throw new Error(String(response.status));
      take(new DOMParser().parseFromString(await response.text(), 'text/html'), url);
    } catch (error) {
      // Whatever went wrong, the server can say it better.
      if (error.name !== 'AbortError') form.submit();
    }
  };

  form.addEventListener('input', (event) => {
    clearTimeout(timer);
    timer = setTimeout(refresh, event.target.matches('select') ? 0 : PAUSE_MS);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    refresh();
  });
})();
