#pragma once

#include <string>
#include <string_view>

#include "bellwether/wire/client.h"
#include "component/net/stream_pair.h"

namespace bellwether::admin::testing {

// A folder that goes away with the test.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// One request and its answer; the loop is turned until that is there.
[[nodiscard]] wire::Reply ask(net::Loop& loop, const net::Address& address, std::string_view method,
                              const std::string& target);

// Of an answer; empty: it has none of that name.
[[nodiscard]] std::string header(const wire::Reply& reply, std::string_view name);
// What a refusal says.
[[nodiscard]] std::string error(const wire::Reply& reply);

}  // namespace bellwether::admin::testing
