// What administrators see of a config, and what becomes of it when they send it back.
#include "agent/config_document.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "agent/config.hpp"
#include "uplink/token_hash.hpp"

using namespace edgecam;
using namespace edgecam::agent;

namespace {

std::string plain(const std::string& text) {
    auto document = plainDocument(text);
    REQUIRE(document);
    return document->text;
}

/// Every place where a secret may be.
const std::string& full() {
    static const std::string document = plain(R"({
  "cameras": [
    {"id": "a", "source": "rtsp://ann:S3@10.0.0.1:554/main?key=S3", "substream": "rtspu://ann:S3@10.0.0.1:554/sub"},
    {"id": "b", "source": "rtsp://10.0.0.2/user=ann_password=S3_channel=1"},
    {"id": "c", "source": "v4l2:///dev/video0?width=640&height=360"}
  ],
  "server": {"tokens": [
    {"name": "one", "token": "S3"},
    {"token_hash": "sha256:00112233445566778899aabbccddeeff:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"name": "two", "token": "S3-first"}, {"name": "two", "token": "S3-second"},
    {"token_file": "/run/tokens"} ]},
  "uplinks": [
    {"name": "east", "url": "wss://hub.example/in?key=S3", "token": "S3-east", "proxy": "http://ann:S3@proxy:3128"},
    {"urls": ["wss://one.example", "wss://two.example:444/p"], "token": "S3-many"}
  ]})");
    return document;
}

std::string with(std::string text, const std::string& piece, const std::string& other) {
    const auto at = text.find(piece);
    REQUIRE_MESSAGE(at != std::string::npos, piece);
    return text.replace(at, piece.size(), other);
}

/// The trouble with a candidate that is what was shown, with one piece replaced.
std::string trouble(const std::string& piece, const std::string& other) {
    const auto restored = withSecretsOf(full(), with(withoutSecrets(full()), piece, other));
    return restored ? "" : restored.error().message;
}

}  // namespace

TEST_CASE("what is shown holds no secret, and all that is none") {
    const std::string shown = withoutSecrets(full());
    CAPTURE(shown);
    CHECK(shown.find("S3") == std::string::npos);
    CHECK(shown.find("00112233") == std::string::npos);
    for (const char* piece :
         {R"("rtsp://ann:***@10.0.0.1:554/main?***")", R"("rtspu://ann:***@10.0.0.1:554/sub")",
          R"("rtsp://10.0.0.2/user=***")", R"("v4l2:///dev/video0?width=640&height=360")",
          R"("name":"server/tokens/1")", R"("/run/tokens")", R"("wss://hub.example/in?***")",
          R"("http://ann:***@proxy:3128")", R"("wss://two.example:444/p")"}) {
        CAPTURE(piece);
        CHECK(shown.find(piece) != std::string::npos);
    }
}

TEST_CASE("what comes back as it was shown is what was in force") {
    const auto restored = withSecretsOf(full(), withoutSecrets(full()));
    REQUIRE_MESSAGE(restored, (restored ? "" : restored.error().message));
    // But for the names that were added.
    CHECK(withoutSecrets(*restored) == withoutSecrets(full()));
    std::string named =
        with(full(), R"(eeff"},{"name":"two")", R"(eeff","name":"server/tokens/1"},{"name":"two")");
    named = with(named, R"({"token_file":"/run/tokens"})",
                 R"({"token_file":"/run/tokens","name":"server/tokens/4"})");
    CHECK(*restored == named);
}

TEST_CASE("a secret goes where it went before and nowhere else") {
    struct Row {
        const char *piece, *other, *trouble;
    };
    const std::vector<Row> rows{
        {R"("id":"a")", R"("id":"renamed")", "/cameras/0/source: "},  // what is behind the '?' was of "a"
        {"10.0.0.1:554/main", "10.0.0.1:554/other", "/cameras/0/source: "},
        {"10.0.0.1:554/main?***", "10.0.0.1:554/other", ""},
        {"10.0.0.1:554/sub", "10.0.0.9:554/sub", "/cameras/0/substream: "},
        {"ann:***@10.0.0.1:554/sub", "bob:***@10.0.0.1:554/sub", "/cameras/0/substream: "},
        {"rtspu://ann", "rtsp://ann", ""},
        {R"("id":"c","source":"v4l2:///dev/video0?width=640&height=360")",
         R"("id":"new","source":"rtsp://ann:***@10.0.0.1:554/third")", ""},
        {R"("name":"one")", R"("name":"none")", "/server/tokens/0/token_hash: "},
        {R"({"token_hash":"***","name":"server/tokens/1")", R"({"token":"***","name":"server/tokens/1")",
         "/server/tokens/1/token: "},
        {R"({"name":"two","token_hash":"***"},)", "", "/server/tokens/2/token_hash: "},  // which of the two?
        {"wss://hub.example/in", "wss://hub.example/out", "/uplinks/0/url: "},
        {"wss://hub.example/in?***", "wss://hub.example/out", ""},
        {"wss://hub.example/in?***", "wss://other.example/in", "/uplinks/0/token: "},
        {"wss://hub.example/in?***", "ws://hub.example/in", "/uplinks/0/token: "},
        {"wss://hub.example/in?***", "wss://hub.example:444/in", "/uplinks/0/token: "},
        {"ann:***@proxy:3128", "ann:***@elsewhere:3128", "/uplinks/0/proxy: "},
        {"ann:***@proxy:3128", "elsewhere:3128", ""},  // sees what is encrypted
        {R"("wss://two.example:444/p")", R"("wss://three.example")", "/uplinks/1/token: "},
        {R"("wss://one.example","wss://two)", R"("wss://two)",
         "/uplinks/1/token: "},  // by the first it was named
        {R"("name":"east")", R"("name":"west")", "/uplinks/0/url: "},
    };
    for (const Row& row : rows) {
        CAPTURE(row.piece);
        CAPTURE(row.other);
        const std::string why = trouble(row.piece, row.other);
        CHECK(why.substr(0, std::string(row.trouble).size()) == row.trouble);
        CHECK(why.empty() == std::string(row.trouble).empty());
        CHECK(why.find("S3") == std::string::npos);
    }
}

TEST_CASE("what is plain goes by no other proxy with a token that was given for another way") {
    const std::string old = plain(
        R"({"cameras":[],"uplinks":[{"name":"e","url":"ws://hub/","insecure":true,"token":"S3","proxy":"http://one:1"}]})");
    const std::string shown = withoutSecrets(old);
    CHECK(withSecretsOf(old, shown));
    CHECK_FALSE(withSecretsOf(old, with(shown, "http://one:1", "http://two:1")));
    CHECK(withSecretsOf(old, with(with(shown, "http://one:1", "http://two:1"), "***", "given")));
}

TEST_CASE("of members with one name the first is meant, and no other is shown") {
    const std::string document = plain(R"({"cameras":[],"uplinks":[{"token":"S3","token":"S3-hidden"}]})");
    CHECK(document.find("hidden") == std::string::npos);
    CHECK(withoutSecrets(document).find("S3") == std::string::npos);
}

TEST_CASE("a candidate of any shape is refused or goes on to the schema, never worse") {
    for (const char* text :
         {"{}", R"({"cameras":7})", R"({"cameras":[7,{"source":7},{"source":"rtsp://***@/?***"}]})",
          R"({"server":{"tokens":{"token":"***"}}})", R"({"uplinks":[{"url":7,"urls":"***","token":"***"}]})",
          R"({"uplinks":["***"]})", R"({"server":"***"})"}) {
        CAPTURE(text);
        const auto restored = withSecretsOf(full(), text);
        if (!restored) CHECK(restored.error().message.starts_with("/"));
    }
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    CHECK_FALSE(plainDocument(deep));
    CHECK_FALSE(withSecretsOf(full(), deep));
}

TEST_CASE("documents that say the same have one digest, and no token is kept") {
    const auto digest = [](const char* text) { return plainDocument(text)->digest; };
    CHECK(digest("{ \"a\": [1, 2] } // so") == digest(R"({"a":[1,2]})"));
    CHECK(digest(R"({"a":[1,2]})") != digest(R"({"a":[2,1]})"));
    const char* const one = R"({"cameras":[],"server":{"tokens":[{"token":"S3"}]}})";
    CHECK(digest(one) != digest(R"({"cameras":[],"server":{"tokens":[{"token":"S4"}]}})"));
    CHECK(plain(one).find("S3") == std::string::npos);
    // It is the same config, which knows the hash only too.
    CHECK(parseConfig(plain(one), "/")->server.tokens == parseConfig(one, "/")->server.tokens);
}

TEST_CASE("a token that stays keeps the hash that it has, whatever salt that has") {
    const auto hash = uplink::TokenHash::salted("S3").text();
    const std::string inForce =
        R"({"cameras":[],"server":{"tokens":[{"name":"a","token_hash":")" + hash + R"("}]}})";
    const auto tokens = [&](const std::string& name, const std::string& token) {
        return plainDocument(R"({"cameras":[],"server":{"tokens":[{"name":")" + name + R"(","token":")" +
                                 token + R"("}]}})",
                             inForce)
            ->text;
    };
    CHECK(tokens("a", "S3") == inForce);
    CHECK(tokens("a", "other").find(hash) == std::string::npos);
    CHECK(tokens("b", "S3").find(hash) == std::string::npos);
}
