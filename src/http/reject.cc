#include <fmt/format.h>

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

int status_of(Reject reason) {
  switch (reason) {
    case Reject::kTooLarge:
    case Reject::kTooManyHeaders:
      return 431;
    case Reject::kVersion:
      return 505;
    case Reject::kExpect:
      return 417;
    case Reject::kBareLineEnd:
    case Reject::kControlCharacter:
    case Reject::kRequestLine:
    case Reject::kStatusLine:
    case Reject::kMethod:
    case Reject::kTarget:
    case Reject::kHeaderName:
    case Reject::kFolding:
    case Reject::kHost:
    case Reject::kContentLength:
    case Reject::kTransferEncoding:
    case Reject::kLengthConflict:
    case Reject::kChunk:
    case Reject::kTrailer:
      return 400;
  }
  return 400;
}

std::string explain(Reject reason, const HeadLimits& limits) {
  switch (reason) {
    case Reject::kTooLarge:
      return fmt::format("the request line and headers are longer than {} bytes{}", limits.max_head_bytes,
                         limits.are_options ? " (max_head_bytes)" : "");
    case Reject::kTooManyHeaders:
      return fmt::format("the request has more than {} headers{}", limits.max_headers,
                         limits.are_options ? " (max_headers)" : "");
    case Reject::kBareLineEnd:
      return "a line of the head ends in CR or LF alone instead of CRLF";
    case Reject::kControlCharacter:
      return "the head contains a control character";
    case Reject::kRequestLine:
      return "the first line is not \"METHOD target HTTP/1.1\"";
    case Reject::kStatusLine:
      return "the first line is not a status line";
    case Reject::kMethod:
      return "the method is not a token of at most 32 bytes";
    case Reject::kTarget:
      return "the target holds characters that must be percent-encoded, or is no path";
    case Reject::kVersion:
      return "the version of HTTP is neither 1.1 nor 1.0";
    case Reject::kHeaderName:
      return "the name of a header is empty, is not a token, or is followed by a blank";
    case Reject::kFolding:
      return "a header goes on in the next line, which RFC 9112 section 5.2 forbids";
    case Reject::kHost:
      return "the Host header is missing, repeated or malformed, or at odds with the target";
    case Reject::kContentLength:
      return "Content-Length is not one number";
    case Reject::kTransferEncoding:
      return "Transfer-Encoding is not exactly one \"chunked\", or comes with HTTP/1.0";
    case Reject::kLengthConflict:
      return "there are both Transfer-Encoding and Content-Length";
    case Reject::kChunk:
      return "the framing of a chunk is malformed";
    case Reject::kTrailer:
      return "the trailer section is malformed";
    case Reject::kExpect:
      return "Expect asks for something else than 100-continue";
  }
  return "the request is malformed";
}

}  // namespace bellwether::http
