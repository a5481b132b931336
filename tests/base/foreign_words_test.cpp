#include "base/foreign_words.hpp"

#include <doctest/doctest.h>

using namespace edgecam;

TEST_CASE("foreign words end no line, move no cursor, and have an end") {
    CHECK(harmless("Not found") == "Not found");
    CHECK(harmless("one\ntwo\r\x1b[2J\x7f") == "one?two??[2J?");
    CHECK(harmless(std::string_view("a\0b", 3)) == "a?b");
    CHECK(harmless("caf\xc3\xa9 \x9b") == "caf?? ?");  // 9b alone is a terminal's escape as well
    CHECK(harmless(std::string(1000, 'x')).size() == 500);
    CHECK(harmless("abc", 2) == "ab");
}

TEST_CASE("quotes are ended by us only") {
    CHECK(quoted("gone") == "\"gone\"");
    CHECK(quoted("a\" and more") == "\"a? and more\"");
    CHECK(quoted(std::string(1000, '"'), 3) == "\"???\"");
}
