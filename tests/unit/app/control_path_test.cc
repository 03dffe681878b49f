#include "app/service/control_path.h"

#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::app;

namespace {

const std::vector<ControlSocket> kTwo = {{"/run/b/control@127.0.0.1:8209.sock", "127.0.0.1:8209"},
                                         {"/run/b/control@0.0.0.0:8210.sock", "0.0.0.0:8210"}};

}  // namespace

TEST_CASE("The only instance needs no choice, of several one is chosen", "[app]") {
  CHECK(choose_control({kTwo[0]}, "").value() == kTwo[0].path);
  const auto unclear = choose_control(kTwo, "");
  REQUIRE_FALSE(unclear);
  CHECK_THAT(unclear.error().message, CATCH_CONTAINS("127.0.0.1:8209") && CATCH_CONTAINS("0.0.0.0:8210"));
  CHECK(choose_control(kTwo, "127.0.0.1:8209").value() == kTwo[0].path);
}

TEST_CASE("An instance is known by its admin address, however it is written", "[app]") {
  CHECK(choose_control(kTwo, "http://localhost:8209/").value() == kTwo[0].path);
  CHECK(choose_control(kTwo, "10.0.0.5:8210").value() == kTwo[1].path);
}

TEST_CASE("A chosen instance that is not there is not replaced by another", "[app]") {
  CHECK_FALSE(choose_control({kTwo[0]}, "127.0.0.1:8299"));
  CHECK_FALSE(choose_control({kTwo[0]}, "nonsense"));
  CHECK_FALSE(choose_control({}, ""));
}
