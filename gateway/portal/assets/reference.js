// Swagger UI on the document that the page names; nothing is asked of any other server.
(() => {
  const holder = document.getElementById('swagger-ui');
  const { document: url, publicUrl, resource } = holder.dataset;
  const language = document.documentElement.lang;

  const toThisOrigin = (address) =>
    address === publicUrl || address.startsWith(`${publicUrl}/`)
      ? location.origin + address.slice(publicUrl.length)
      : address;

  const asForm = (body) => new URLSearchParams(body ?? '');

  /** Swagger UI does not know RFC 8707: a token is for one resource, and the page knows which. */
  const withResource = (body) => {
    const form = asForm(body);
    form.set('resource', resource);
    if (form.get('scope') === '') form.delete('scope');
    return form.toString();
  };

  window.SwaggerUIBundle({
    url,
    domNode: holder,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    validatorUrl: null,
    queryConfigEnabled: false,
    persistAuthorization: false,
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    requestInterceptor: (request) => {
      // The gateway may be read under another name than its public one; calls stay where the page came from.
      request.url = toThisOrigin(new URL(request.url, location.href).href);
      if (new URL(request.url).pathname === '/oidc/token') request.body = withResource(request.body);
      else if (request.headers !== undefined) request.headers['Accept-Language'] = language;
      return request;
    },
  });
})();
