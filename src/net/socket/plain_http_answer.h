#pragma once

#include "bellwether/net/socket.h"

namespace bellwether::net {

// Answers a client that speaks plain HTTP where TLS is spoken: 400, and a sentence that names the way out. Takes what
// the client has sent, so that the close which follows does not reset the connection before the answer is read.
void answer_plain_http(Socket& socket);

}  // namespace bellwether::net
