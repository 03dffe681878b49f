#include "exchange.h"

#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::proxy {

namespace {

constexpr std::size_t kKeptPath = 256;  // bytes, of the path of an ordinary request

}  // namespace

void Exchange::restart() {
  BW_ASSERT(to_client.empty());
  in.release_if_big();
  from_node.clear();
  from_node.release_if_big();
  to_client.release_if_big();
  to_node.reset();
  Request last = std::exchange(request, {});
  last.path.clear();
  if (last.path.capacity() <= kKeptPath) request.path = std::move(last.path);
  request_body = {};
  hold_place = {};
  mount_check = {};
  attempt = {};
  proof = {};
  answer = {};
  answer_body = {};
}

}  // namespace bellwether::proxy
