#ifdef BELLWETHER_LLHTTP
#include <llhttp.h>

#include "unit/http/oracles.h"

namespace bellwether::http {

std::optional<Framed> framed_by_llhttp(const std::string& text) {
  const std::string known = with_known_method(text);
  Framed framed;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = [](llhttp_t* parser, const char* at, std::size_t length) {
    static_cast<Framed*>(parser->data)->body.append(at, length);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* parser) {
    static_cast<Framed*>(parser->data)->complete = true;
    return static_cast<int>(HPE_PAUSED);
  };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &framed;
  const llhttp_errno_t error = llhttp_execute(&parser, known.data(), known.size());
  if (error != HPE_OK && error != HPE_PAUSED) return std::nullopt;
  const char* end = error == HPE_PAUSED ? llhttp_get_error_pos(&parser) : known.data() + known.size();
  framed.end = static_cast<std::size_t>(end - known.data()) - kKnownMethod.size();
  return framed;
}

}  // namespace bellwether::http
#endif
