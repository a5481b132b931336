#include "uplink/signed_token.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "tests/uplink/signing_key.hpp"

using namespace std::chrono_literals;
using namespace edgecam;
using namespace edgecam::uplink;
using namespace edgecam::uplink::test;

namespace {

constexpr Utc kNow{1'800'000'000s};

TokenKey keyOf(const SigningKey& signer, Role most = Role::operator_, std::vector<std::string> cameras = {}) {
    return {.name = "console",
            .publicKey = signer.publicKey(),
            .audience = "box-7",
            .issuer = {},
            .most = most,
            .cameras = std::move(cameras)};
}

/// Claims that hold, and more of them.
std::string claims(const std::string& more = {}, Microseconds holds = 10min) {
    const auto end =
        std::chrono::duration_cast<std::chrono::seconds>((kNow + holds).time_since_epoch()).count();
    return concat(R"({"aud":"box-7","exp":)", end, more.empty() ? "" : ",", more, "}");
}

std::string whyNot(const std::string& token, const std::vector<TokenKey>& keys,
                   std::optional<Utc> now = kNow) {
    const auto read = checkSigned(token, keys, now);
    return read ? "accepted" : read.error().message;
}

}  // namespace

TEST_CASE("a token of either algorithm says who may do what until when") {
    for (const SigningKey& signer : {SigningKey::es256(), SigningKey::edDsa()}) {
        const auto token = signer.sign(claims(R"("sub":"ann","role":"operator","cameras":["door"])"));
        CHECK(looksSigned(token));
        const auto read = checkSigned(token, {keyOf(signer)}, kNow);
        REQUIRE_MESSAGE(read, whyNot(token, {keyOf(signer)}));
        CHECK(read->subject == "ann");
        CHECK(read->key == "console");
        CHECK(read->role == Role::operator_);
        CHECK(read->cameras == std::vector<std::string>{"door"});
        CHECK(read->endsAt == kNow + 10min);
    }
}

TEST_CASE("without a role it is a viewer's, without cameras it has its key's") {
    const auto signer = SigningKey::es256();
    const auto read = checkSigned(signer.sign(claims()), {keyOf(signer, Role::admin, {"yard"})}, kNow);
    REQUIRE(read);
    CHECK(read->role == Role::viewer);
    CHECK(read->cameras == std::vector<std::string>{"yard"});
}

TEST_CASE("a token that was changed anywhere is nobody's") {
    const auto signer = SigningKey::edDsa();
    const std::string good = signer.sign(claims());
    for (std::size_t i = 0; i < good.size(); ++i) {
        CAPTURE(i);
        std::string wrong = good;
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        if (wrong != good) CHECK(whyNot(wrong, {keyOf(signer)}) != "accepted");
        CHECK(whyNot(good.substr(0, i), {keyOf(signer)}) != "accepted");
    }
    CHECK(whyNot(good + "=", {keyOf(signer)}) != "accepted");
    CHECK(whyNot(good + "A", {keyOf(signer)}) != "accepted");
    CHECK(whyNot(SigningKey::edDsa().sign(claims()), {keyOf(signer)}) == "no key here signed it");
    CHECK(whyNot(good, {}) == "no key here signed it");
}

TEST_CASE("the header chooses no algorithm: none, a foreign one and the other kind's are refused") {
    const auto curve = SigningKey::es256();
    const auto edwards = SigningKey::edDsa();
    const std::vector<TokenKey> keys{keyOf(curve), keyOf(edwards)};
    for (const char* algorithm : {"none", "HS256", "ES384", "RS256", "es256", "", "EdDSA"}) {
        CAPTURE(algorithm);
        const auto token = curve.sign(concat(R"({"alg":")", algorithm, "\"}"), claims());
        CHECK(whyNot(token, keys) == "no key here signed it");
    }
    // The public key as the secret of an HMAC, the classic.
    CHECK(whyNot(base64Url(R"({"alg":"none"})") + "." + base64Url(claims()) + ".", keys) ==
          "no key here signed it");
    CHECK(whyNot(curve.sign(R"({"alg":"ES256","crit":["b64"]})", claims()), keys).find("critical") !=
          std::string::npos);
}

TEST_CASE("what a token says is held against what its key may say") {
    const auto signer = SigningKey::es256();
    const std::vector<TokenKey> keys{keyOf(signer, Role::operator_, {"door", "yard"})};
    const auto why = [&](const std::string& text) { return whyNot(signer.sign(text), keys); };
    CHECK(why(claims(R"("cameras":["door"])")) == "accepted");
    CHECK(why(claims(R"("role":"admin")")) == "its role is none, or more than its key may give");
    CHECK(why(claims(R"("role":"root")")) == "its role is none, or more than its key may give");
    CHECK(why(claims(R"("cameras":["door","vault"])")) == "it names a camera that its key may not give");
    CHECK(why(claims(R"("cameras":[])")) == "its list of cameras is empty");
    CHECK(why(claims("", 25h)) == "it holds for longer than its key may say");
    CHECK(why(claims("", 0s)) == "it has ended");
    CHECK(why(claims(R"("nbf":1800000031)")) == "it has not begun");
    CHECK(why(claims(R"("nbf":1800000029)")) == "accepted");  // two clocks are never the same
    CHECK(why(R"({"aud":"box-8","exp":1800000600})") == "it is for another audience");
    CHECK(why(R"({"exp":1800000600})") == "it is for another audience");
    CHECK(why(R"({"aud":["a","box-7"],"exp":1800000600})") == "accepted");
    CHECK(why(R"({"aud":"box-7"})").find("exp") != std::string::npos);
    CHECK(why(R"({"aud":"box-7","exp":"1800000600"})").find("exp") != std::string::npos);
    CHECK(why(R"({"aud":7,"exp":1800000600})").find("aud") != std::string::npos);
    CHECK(why("[]") == "its claims is no JSON object");
}

TEST_CASE("an issuer that is named must be the one") {
    const auto signer = SigningKey::es256();
    TokenKey key = keyOf(signer);
    key.issuer = "https://console.example";
    CHECK(whyNot(signer.sign(claims(R"("iss":"https://console.example")")), {key}) == "accepted");
    CHECK(whyNot(signer.sign(claims(R"("iss":"https://other.example")")), {key}) == "it is another issuer's");
    CHECK(whyNot(signer.sign(claims()), {key}) == "it is another issuer's");
}

TEST_CASE("a box that does not know the time takes no token that ends") {
    const auto signer = SigningKey::es256();
    CHECK(whyNot(signer.sign(claims()), {keyOf(signer)}, std::nullopt).find("does not know the time") !=
          std::string::npos);
}

TEST_CASE("a public key is read from PEM, and only of the two kinds") {
    for (const SigningKey& signer : {SigningKey::es256(), SigningKey::edDsa()}) {
        const auto read = readPublicKey(signer.publicPem());
        REQUIRE(read);
        TokenKey key = keyOf(signer);
        key.publicKey = *read;
        CHECK(whyNot(signer.sign(claims()), {key}) == "accepted");
    }
    CHECK_FALSE(readPublicKey(""));
    CHECK_FALSE(readPublicKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
}

TEST_CASE("a key that is locked asks nobody for a passphrase") {
    const auto asked = [] {
        std::FILE* terminal = std::tmpfile();  // in the place of standard error, where OpenSSL would ask
        const int kept = dup(STDERR_FILENO);
        dup2(fileno(terminal), STDERR_FILENO);
        CHECK_FALSE(
            readPublicKey("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
                          "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                          "AAAAAAAAAAAAAAAAAAAAAA==\n-----END PUBLIC KEY-----\n"));
        dup2(kept, STDERR_FILENO);
        close(kept);
        const long written = std::ftell(terminal);
        std::fclose(terminal);
        return written;
    };
    CHECK(asked() == 0);
}

TEST_CASE("what OpenSSL notes of a bad key or signature is not left for others on the thread") {
    const auto signer = SigningKey::es256();
    const auto other = SigningKey::es256();
    ERR_clear_error();
    CHECK_FALSE(readPublicKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    CHECK(ERR_peek_error() == 0);
    CHECK(whyNot(signer.sign(claims()), {keyOf(other)}) == "no key here signed it");
    CHECK(ERR_peek_error() == 0);
    const std::string token = signer.sign(claims());
    const std::string zeros = token.substr(0, token.rfind('.') + 1) + std::string(86, 'A');
    CHECK(whyNot(zeros, {keyOf(signer)}) == "no key here signed it");
    CHECK(ERR_peek_error() == 0);
}
