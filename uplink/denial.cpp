#include "uplink/denial.hpp"

#include <algorithm>
#include <string_view>

namespace edgecam::uplink {
namespace {

struct Row {
    Denial denial;
    const char* name;
    std::uint16_t code = 0;        ///< 0: it is no end of a WebSocket
    std::string_view reason = {};  ///< empty: the code alone tells it
};

// 4429 has several meanings, and 4410 goes without its code to a peer that would not understand it.
constexpr std::array<Row, kDenialCount> kRows{{
    {Denial::connections, "connections", 4429, "too many connections"},
    {Denial::addressConnections, "address_connections", 4429, "too many connections from this address"},
    {Denial::newcomers, "newcomers", 4429, "too many that have not signed in"},
    {Denial::idleSockets, "idle_sockets"},
    {Denial::authTimeout, "auth_timeout", 4408},
    {Denial::wrongToken, "wrong_token", 4401},
    {Denial::tokenRate, "token_rate", 4429, "too many wrong tokens from this address"},
    {Denial::messageSize, "message_size", 1009},
    {Denial::messageRate, "message_rate", 4429, "too many messages"},
    {Denial::byteRate, "byte_rate", 4429, "sends too much"},
    {Denial::badMessages, "bad_messages", 4400},
    {Denial::framing, "framing", 1002, "not RFC 6455, or not UTF-8"},
    {Denial::slowReader, "slow_reader", 4410, "reads too slowly"},
    {Denial::foreignHost, "host"},
    {Denial::foreignOrigin, "origin"},
}};

const Row& rowOf(Denial denial) {
    return *std::ranges::find(kRows, denial, &Row::denial);
}

}  // namespace

const char* nameOf(Denial denial) {
    return rowOf(denial).name;
}

const std::array<Denial, kDenialCount>& allDenials() {
    static const auto all = [] {
        std::array<Denial, kDenialCount> denials{};
        std::ranges::transform(kRows, denials.begin(), &Row::denial);
        return denials;
    }();
    return all;
}

CloseWish closeWishFor(Denial denial) {
    const Row& row = rowOf(denial);
    return {row.code, std::string(row.reason)};
}

std::optional<Denial> denialOf(const CloseWish& wish) {
    const auto means = [&](const Row& row) {
        return row.reason.empty() ? row.code == wish.code : row.reason == wish.reason;
    };
    const auto* found =
        std::ranges::find_if(kRows, [&](const Row& row) { return row.code != 0 && means(row); });
    return found == kRows.end() ? std::nullopt : std::optional(found->denial);
}

}  // namespace edgecam::uplink
