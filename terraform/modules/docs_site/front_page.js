function handler(event) {
  if (event.request.uri.endsWith("/")) {
    event.request.uri += "index.html";
  }
  return event.request;
}
