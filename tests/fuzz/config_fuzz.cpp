#include "agent/config.hpp"
#include "agent/config_document.hpp"

using namespace edgecam;

namespace {

// Every place where a secret may be, for candidates that say "***".
const std::string kInForce =
    R"({"cameras":[{"id":"a","source":"rtsp://u:S3@h/p?S3","substream":"rtsp://u:S3@h/s=S3"}],)"
    R"("server":{"tokens":[{"name":"t","token":"S3"},{"token_hash":"S3"}]},)"
    R"("uplinks":[{"name":"e","url":"wss://h/p?S3","token":"S3","proxy":"http://u:S3@p:1"}]})";

void require(bool holds) {
    if (!holds) __builtin_trap();
}

}  // namespace

// A config is read whole or refused with a sentence. As one that is sent from afar it gets the secrets in
// force only where it says so, and what it then holds can be shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto config = agent::parseConfig(text, "/etc/edgecam");
    require(config || !config.error().message.empty());
    const auto plain = agent::plainDocument(text);
    if (!plain) return 0;
    const std::string& document = plain->text;
    require(agent::plainDocument(document)->text == document);
    const auto restored = agent::withSecretsOf(kInForce, document);
    if (!restored) {
        require(restored.error().message.find("S3") == std::string::npos);
        return 0;
    }
    const bool asks = document.find("***") != std::string::npos;
    require(asks || *restored == document);
    if (!config) return 0;
    // What is valid can be shown, and what was shown comes back as it was.
    const std::string shown = agent::withoutSecrets(document);
    const auto again = agent::withSecretsOf(document, shown);
    require(again && agent::withoutSecrets(*again) == shown);
    return 0;
}
