#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "base/json.hpp"

using namespace edgecam;

TEST_CASE("a parse error names line and column") {
    const auto parsed = parseJson("{\n  \"a\": 1,\n  oops\n}");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message.find("line 3, column 3") != std::string::npos);
}

TEST_CASE("comments are read only where the dialect allows them") {
    const char* text = "{ // why\n \"a\": /* how */ 1 }";
    CHECK(parseJson(text, JsonDialect::withComments));
    CHECK_FALSE(parseJson(text));
}

TEST_CASE("deep nesting and broken UTF-8 are answers, not crashes") {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    CHECK(parseJson(deep));
    CHECK_FALSE(parseJson(std::string(200'000, '[')));
    CHECK_FALSE(parseJson("\"\xC3\x28\""));
    CHECK_FALSE(parseJson(""));
    CHECK_FALSE(parseJson("{} {}"));
}

TEST_CASE("a NUL ends no text, and what is behind it is not passed over") {
    using namespace std::string_literals;
    for (const std::string& text : {"{}\0"s, "{}\0junk"s, "\0{}"s, "{\"a\":\0 1}"s, "{\"a\":\"\0\"}"s}) {
        CHECK_FALSE(parseJson(text));
        CHECK_FALSE(parseJson(text, JsonDialect::withComments));
    }
    CHECK(parseJson(R"({"a":"\u0000"})"));
}

TEST_CASE("the writer nests, separates and escapes") {
    JsonWriter json;
    json.beginObject().field("a", 1).field("b", "say \"hi\"\n").key("c").beginArray();
    json.value(true).null().rounded(0.123456, 3).value(std::numeric_limits<double>::quiet_NaN());
    json.endArray().key("d").beginObject().endObject().key("e").raw("[1]").endObject();
    const std::string text = json.take();
    CHECK(text == R"({"a":1,"b":"say \"hi\"\n","c":[true,null,0.123,null],"d":{},"e":[1]})");
    CHECK(parseJson(text));
}

TEST_CASE("the writer can be used again after take") {
    JsonWriter json;
    json.beginArray().value(1).endArray();
    CHECK(json.take() == "[1]");
    json.beginObject().field("x", std::uint64_t{9007199254740991}).endObject();
    CHECK(json.take() == R"({"x":9007199254740991})");
}

TEST_CASE("a field reader keeps the first trouble and names its field") {
    const auto document = parseJson(R"({"n": 7, "s": "text", "list": ["a", "b"], "deep": {"x": 1}})");
    REQUIRE(document);
    FieldReader good(*document);
    CHECK(good.integer("n", 0, 10) == 7);
    CHECK(good.text("s") == "text");
    CHECK(good.texts("list", 5, 5)->size() == 2);
    CHECK(good.object("deep") != nullptr);
    CHECK_FALSE(good.number("absent", 0, 1).has_value());
    CHECK(good.ok());

    FieldReader bad(*document);
    CHECK_FALSE(bad.integer("n", 0, 5).has_value());
    CHECK_FALSE(bad.flag("s").has_value());
    CHECK_FALSE(bad.ok());
    CHECK(bad.badField() == "n");
    CHECK(bad.error().message == "n must be an integer from 0 to 5");
}

TEST_CASE("a field reader refuses text that is too long, arrays of other things, and missing fields") {
    const auto document = parseJson(R"({"s": "0123456789", "list": ["a", 2]})");
    REQUIRE(document);
    CHECK([&] {
        FieldReader fields(*document);
        (void)fields.text("s", 5);
        return fields.badField();
    }() == "s");
    CHECK([&] {
        FieldReader fields(*document);
        (void)fields.texts("list", 5, 5);
        return fields.badField();
    }() == "list");
    CHECK([&] {
        FieldReader fields(*document);
        fields.require("gone");
        return fields.badField();
    }() == "gone");
}
