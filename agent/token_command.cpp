#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "agent/commands.hpp"
#include "agent/config.hpp"
#include "agent/config_in_force.hpp"
#include "agent/data_dir.hpp"
#include "agent/page_url.hpp"
#include "agent/places.hpp"
#include "uplink/certificate_files.hpp"
#include "uplink/own_certificate.hpp"
#include "uplink/token_hash.hpp"

namespace edgecam::agent {
namespace {

int fail(const Error& error) {
    std::fprintf(stderr, "edgecam: %s\n", error.message.c_str());
    return EX_UNAVAILABLE;
}

/// Only what is there: made by another user than the agent's, it could not be read by the agent.
Result<std::string> tokenMade(const Config& config) {
    if (!config.server.makesToken()) return std::string();
    std::error_code trouble;
    if (!std::filesystem::exists(config.dataDir + "/token", trouble)) {
        return Error{
            trouble ? concat(config.dataDir, ": ", trouble.message())
                    : concat("no token in ", config.dataDir, " yet: the agent makes it at its first start")};
    }
    auto data = DataDir::open(config.dataDir);
    return data ? data->ownToken() : data.error();
}

}  // namespace

int hashTokenCommand() {
    if (isatty(STDIN_FILENO) != 0) std::fprintf(stderr, "token: ");
    std::string token;
    std::getline(std::cin, token);
    if (token.empty()) {
        std::fprintf(stderr, "edgecam: no token on the standard input\n");
        return EX_DATAERR;
    }
    std::printf("%s\n", uplink::TokenHash::salted(token).text().c_str());
    return EX_OK;
}

int tokenCommand(const std::string& path) {
    const auto config = configInForce(path);
    if (!config) {
        std::fprintf(stderr, "%s: %s\n", shownConfigPath(path).c_str(), config.error().message.c_str());
        return EX_CONFIG;
    }
    const ServerConfig& server = config->server;
    if (!server.enabled) return fail(Error{"the config has the local server switched off"});
    const auto token = tokenMade(*config);
    if (!token) return fail(token.error());
    std::printf("page: %s\n", pageUrl(server, server.port, *token).c_str());
    if (token->empty()) std::printf("its tokens are in the config\n");
    if (!server.secure()) return EX_OK;
    const auto files = server.selfSigned ? uplink::ownCertificateFiles(config->dataDir) : server.tls;
    const auto fingerprint = uplink::fingerprintOf(files.certificateFile);
    if (!fingerprint) return fail(fingerprint.error());
    std::printf("certificate: SHA-256 %s\n", fingerprint->c_str());
    return EX_OK;
}

}  // namespace edgecam::agent
