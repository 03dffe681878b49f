#pragma once

// Debian 12 ships Catch2 v2 (one header), Debian 13 ships v3: the tests include this and use what both understand.
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_all.hpp>
#define CATCH_CONTAINS ::Catch::Matchers::ContainsSubstring
#else
#include <catch2/catch.hpp>
#define CATCH_CONTAINS ::Catch::Matchers::Contains
#endif
