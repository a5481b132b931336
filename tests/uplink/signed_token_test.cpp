#include "uplink/signed_token.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
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

/// As in a certificate's `x5c`: RFC 4648 section 4.
std::string base64(const std::string& bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                    reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.pop_back();
    return text;
}

std::string hmacOf(const std::string& text, const std::string& secret) {
    std::string code(32, '\0');
    REQUIRE(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                 reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                 reinterpret_cast<unsigned char*>(code.data()), nullptr) != nullptr);
    return code;
}

/// A port of this machine that takes calls, and knows whether there was one.
class Listener {
  public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        at_.sin_family = AF_INET;
        at_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at_;
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&at_), size) == 0);
        REQUIRE(::listen(socket_, 8) == 0);
        REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at_), &size) == 0);
    }
    ~Listener() { ::close(socket_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] int port() const { return ntohs(at_.sin_port); }
    [[nodiscard]] bool wasCalled() const {
        const int call = ::accept(socket_, nullptr, nullptr);
        if (call >= 0) ::close(call);
        return call >= 0;
    }

  private:
    int socket_;
    sockaddr_in at_{};
};

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

TEST_CASE("an ES256 signature has a second value that is as valid, over the same text") {
    const auto signer = SigningKey::es256();
    const std::string good = signer.sign(claims());
    const std::string twin = twinOf(good);
    CHECK(twin != good);
    CHECK(signedPart(twin) == signedPart(good));
    CHECK(whyNot(twin, {keyOf(signer)}) == "accepted");
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
    CHECK(whyNot(edwards.sign(R"({"alg":"ES256"})", claims()), keys) == "no key here signed it");
    CHECK(whyNot(base64Url(R"({"alg":"none"})") + "." + base64Url(claims()) + ".", keys) ==
          "no key here signed it");
    CHECK(whyNot(curve.sign(R"({"alg":"ES256","crit":["b64"]})", claims()), keys).find("critical") !=
          std::string::npos);
}

TEST_CASE("a public key is nobody's secret: an HMAC made with it signs nothing") {
    for (const SigningKey& signer : {SigningKey::es256(), SigningKey::edDsa()}) {
        std::string trimmed = signer.publicPem();
        trimmed.pop_back();
        for (const std::string& secret : {signer.publicPem(), trimmed}) {
            for (const char* algorithm : {"HS256", "ES256", "EdDSA"}) {
                CAPTURE(algorithm);
                const auto text =
                    base64Url(concat(R"({"alg":")", algorithm, "\"}")) + "." + base64Url(claims());
                CHECK(whyNot(text + "." + base64Url(hmacOf(text, secret)), {keyOf(signer)}) ==
                      "no key here signed it");
            }
        }
    }
}

TEST_CASE("a key that a token brings along is neither believed nor fetched") {
    const auto signer = SigningKey::edDsa();
    const auto stranger = SigningKey::edDsa();
    const Listener listener;
    const std::string url = concat("http://127.0.0.1:", listener.port(), "/keys");
    for (const std::string& brought :
         {concat(R"("jwk":)", stranger.publicJwk()), concat(R"("jku":")", url, "\""),
          concat(R"("x5c":[")", base64(stranger.certificate()), "\"]"), concat(R"("x5u":")", url, "\"")}) {
        CAPTURE(brought);
        const std::string header = concat(R"({"alg":"EdDSA",)", brought, "}");
        CHECK(whyNot(stranger.sign(header, claims()), {keyOf(signer)}) == "no key here signed it");
        CHECK(whyNot(signer.sign(header, claims()), {keyOf(signer)}) == "accepted");
    }
    CHECK_FALSE(listener.wasCalled());
}

TEST_CASE("a token has one spelling: padding, stray bits, blanks and the other alphabet are refused") {
    const auto signer = SigningKey::edDsa();
    // Two bytes more than threes: each part's last letter has two bits to spare, that of the signature four.
    std::string header = R"({"typ":"JWT","alg":"EdDSA"})";
    std::string body = claims();
    while (header.size() % 3 != 2) header.insert(1, " ");
    while (body.size() % 3 != 2) body.insert(1, " ");
    const std::string good = signer.sign(header, body);
    REQUIRE(whyNot(good, {keyOf(signer)}) == "accepted");
    const auto first = good.find('.');
    const auto last = good.rfind('.');
    for (const std::size_t end : {first, last, good.size()}) {
        CAPTURE(end);
        for (const char* more : {"=", "==", " ", "\n", "\r\n", "A", "+", "/"}) {
            CHECK(whyNot(std::string(good).insert(end, more), {keyOf(signer)}) != "accepted");
        }
        CHECK(whyNot(std::string(good).insert(end - 4, "\n"), {keyOf(signer)}) != "accepted");
        std::string stray = good;
        ++stray[end - 1];  // what has no bits set at its end has them in the next letter of the alphabet
        CHECK(whyNot(stray, {keyOf(signer)}) != "accepted");
    }
    CHECK(whyNot(" " + good, {keyOf(signer)}) != "accepted");
}

TEST_CASE("what is no signed token in compact form is none: encrypted, in JSON, nested, squeezed") {
    const auto signer = SigningKey::es256();
    const std::vector<TokenKey> keys{keyOf(signer)};
    const std::string good = signer.sign(claims());
    const auto first = good.find('.');
    const auto last = good.rfind('.');
    const std::string header = good.substr(0, first);
    const std::string body = good.substr(first + 1, last - first - 1);
    const std::string signature = good.substr(last + 1);
    for (const std::string& other : {good + ".." /* RFC 7516: five parts */, header + ".a.b.c.d",
                                     header + "." + body /* no signature */, good + "." + signature}) {
        CAPTURE(other);
        CHECK_FALSE(looksSigned(other));
        CHECK(whyNot(other, keys) == "it is no signed token");
    }
    const std::string flattened =
        concat(R"({"protected":")", header, R"(","payload":")", body, R"(","signature":")", signature, "\"");
    const std::string general = concat(R"({"payload":")", body, R"(","signatures":[{"protected":")", header,
                                       R"(","signature":")", signature, "\"}]");
    for (const std::string& object : {flattened, general}) {
        CHECK(whyNot(object + "}", keys) == "it is no signed token");
        CHECK(whyNot(object + R"(,"header":{"kid":"a.b.c"}})", keys) == "its header is not base64url");
    }
    CHECK(whyNot(signer.sign(R"({"alg":"ES256","cty":"JWT"})", good), keys) != "accepted");
    // Raw DEFLATE of the claims as it stands in one stored block: RFC 1951 section 3.2.4.
    const std::string text = claims();
    const auto size = static_cast<unsigned>(text.size());
    const std::string squeezed =
        std::string{'\1', static_cast<char>(size), '\0', static_cast<char>(~size), static_cast<char>(0xff)} +
        text;
    CHECK(whyNot(signer.sign(R"({"alg":"ES256","zip":"DEF"})", squeezed), keys) != "accepted");
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
