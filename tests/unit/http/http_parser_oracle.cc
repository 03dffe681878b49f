#ifdef BELLWETHER_HTTP_PARSER
#include <http_parser.h>

#include "unit/http/oracles.h"

namespace bellwether::http {

std::optional<Framed> framed_by_http_parser(const std::string& text) {
  const std::string known = with_known_method(text);
  Framed framed;
  http_parser_settings settings{};
  settings.on_body = [](http_parser* parser, const char* at, std::size_t length) {
    static_cast<Framed*>(parser->data)->body.append(at, length);
    return 0;
  };
  settings.on_message_complete = [](http_parser* parser) {
    static_cast<Framed*>(parser->data)->complete = true;
    http_parser_pause(parser, 1);
    return 0;
  };
  http_parser parser{};
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = &framed;
  const std::size_t used = http_parser_execute(&parser, &settings, known.data(), known.size());
  const auto error = static_cast<http_errno>(parser.http_errno);
  if (error != HPE_OK && error != HPE_PAUSED) return std::nullopt;
  framed.end = used - kKnownMethod.size();
  return framed;
}

}  // namespace bellwether::http
#endif
