#include <openssl/err.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/uplink/signing_key.hpp"
#include "uplink/signed_token.hpp"

using namespace edgecam;

namespace {

uplink::TokenKey keyOf(const uplink::test::SigningKey& signer) {
    return {.name = "k",
            .publicKey = signer.publicKey(),
            .audience = "a",
            .issuer = {},
            .most = uplink::Role::operator_,
            .cameras = {"door", "yard"}};
}

}  // namespace

// A line is a token as a stranger may send it. With a '!' before it, it is a header, a blank and claims which
// somebody signed whom the box believes: then what is accepted must keep to what the key may say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto signer = uplink::test::SigningKey::edDsa();
    static const auto other = uplink::test::SigningKey::es256();
    static const std::vector<uplink::TokenKey> keys{keyOf(signer), keyOf(other)};
    constexpr Utc kNow{std::chrono::seconds(1'800'000'000)};
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (!input.starts_with('!')) {
        if (uplink::checkSigned(input, keys, kNow)) __builtin_trap();
        // What OpenSSL notes would be taken for trouble of somebody's connection.
        if (ERR_peek_error() != 0) __builtin_trap();
        (void)uplink::looksSigned(input);
        return 0;
    }
    const auto blank = input.find(' ');
    const std::string header(input.substr(1, blank == std::string_view::npos ? blank : blank - 1));
    const std::string claims(blank == std::string_view::npos ? "" : input.substr(blank + 1));
    const auto read = uplink::checkSigned(signer.sign(header, claims), keys, kNow);
    if (!read) return 0;
    if (read->role > keys[0].most || read->cameras.empty() || read->endsAt <= kNow) __builtin_trap();
    for (const std::string& camera : read->cameras) {
        if (camera != "door" && camera != "yard") __builtin_trap();
    }
    return 0;
}
