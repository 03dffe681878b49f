#include "bellwether/http/head.h"

namespace bellwether::http {

std::string_view to_text(Reject reason) {
  switch (reason) {
    case Reject::kTooLarge:
      return "head_too_large";
    case Reject::kTooManyHeaders:
      return "too_many_headers";
    case Reject::kBareLineEnd:
      return "bare_line_end";
    case Reject::kControlCharacter:
      return "control_character";
    case Reject::kRequestLine:
      return "request_line";
    case Reject::kStatusLine:
      return "status_line";
    case Reject::kMethod:
      return "method";
    case Reject::kTarget:
      return "target";
    case Reject::kVersion:
      return "version";
    case Reject::kHeaderName:
      return "header_name";
    case Reject::kFolding:
      return "folding";
    case Reject::kHost:
      return "host";
    case Reject::kContentLength:
      return "content_length";
    case Reject::kTransferEncoding:
      return "transfer_encoding";
    case Reject::kLengthConflict:
      return "length_conflict";
    case Reject::kChunk:
      return "chunk";
    case Reject::kTrailer:
      return "trailer";
    case Reject::kExpect:
      return "expect";
  }
  return "unknown";
}

}  // namespace bellwether::http
