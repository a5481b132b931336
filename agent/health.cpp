#include "agent/health.hpp"

#include "agent/version.hpp"
#include "base/json.hpp"

namespace edgecam::agent {

bool Health::ok() const {
    const Monotonic lastTurn{Microseconds(lastTurn_.load())};
    return clock_.monotonic() - lastTurn < std::chrono::seconds(5);
}

std::string Health::json() const {
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(clock_.monotonic() - startedAt_);
    JsonWriter json;
    json.beginObject().field("ok", ok()).field("version", kVersion);
    json.field("uptime_s", static_cast<std::int64_t>(uptime.count())).endObject();
    return json.take();
}

}  // namespace edgecam::agent
