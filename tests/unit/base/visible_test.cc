#include "bellwether/base/visible.h"

#include "catch.hpp"

using namespace bellwether;

TEST_CASE("What would act on a terminal is written as an escape", "[base][visible]") {
  CHECK(visible("plain text") == "plain text");
  CHECK(visible("two\nlines\t") == "two\\x0alines\\x09");
  CHECK(visible("\x1b[2J\x1b]0;x\x07") == "\\x1b[2J\\x1b]0;x\\x07");
  CHECK(visible("a\rb") == "a\\x0db");
  CHECK(visible(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(visible("\x7f") == "\\x7f");
  CHECK(visible("\xc2\x9b"
                "31m") == "\\x9b31m");
  CHECK(visible("\x9b"
                "31m") == "\\x9b31m");
}

TEST_CASE("Letters of any script stay, what hides or turns them does not", "[base][visible]") {
  CHECK(visible("N\xc3\xbcrnberg \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x90\x91") ==
        "N\xc3\xbcrnberg \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x90\x91");
  CHECK(visible("a\xe2\x80\xae"
                "b") == "a\\u202eb");
  CHECK(visible("a\xe2\x80\x8b"
                "b\xe2\x81\xa6"
                "c\xef\xbb\xbf") == "a\\u200bb\\u2066c\\ufeff");
  CHECK(visible("\xe2\x80\xa8") == "\\u2028");
}

TEST_CASE("Bytes that are no UTF-8 are shown one by one", "[base][visible]") {
  CHECK(visible("\xff\xfe") == "\\xff\\xfe");
  CHECK(visible("\xc0\xaf") == "\\xc0\\xaf");
  CHECK(visible("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
  CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(visible("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(visible("a\xe2\x82") == "a\\xe2\\x82");
}

TEST_CASE("A URL's user and password are never shown", "[base][visible]") {
  CHECK(without_userinfo("https://user:pass@vault1:8200/x") == "https://***@vault1:8200/x");
  CHECK(without_userinfo("\"https://user:p@ss@v\" has a user name") == "\"https://***@v\" has a user name");
  CHECK(without_userinfo("http://a@b, https://c:d@e and http://f/@g") == "http://***@b, https://***@e and http://f/@g");
  CHECK(without_userinfo("https://vault1:8200?a@b#c@d") == "https://vault1:8200?a@b#c@d");
  CHECK(without_userinfo("mail a@b") == "mail a@b");
  CHECK(without_userinfo("://@") == "://***@");
  CHECK(without_userinfo("").empty());
  CHECK(for_people("http://\x1b@b\x1b") == "http://\\x1b@b\\x1b");
}
