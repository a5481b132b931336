// ConfigDocument: a config as JSON text that goes to administrators and comes back: its secrets hidden on the
// way out, and put back on the way in. Pure; what a config means is not known here, only where it holds
// secrets.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace edgecam::agent {

/// Stands where a secret is, also for a part of a URL.
inline constexpr std::string_view kHidden = "***";

struct PlainDocument {
    /// JSON without comments and white space, so that two that say the same in the same order are the same.
    /// Of the server's tokens it has the hashes only: nobody needs more.
    std::string text;
    /// SHA-256 in hexadecimal of the same with its tokens: which document it is.
    std::string digest;
};
/// Of the text of a config that is valid. A token that is in `inForce` (such a document; empty: none) under
/// the same name keeps the hash it has there: it is the same one, and who uses it is not disturbed.
Result<PlainDocument> plainDocument(std::string_view text, const std::string& inForce = {});

/// `document`, of a config that is valid, for others' eyes. Hidden are tokens and their hashes, and of the
/// URLs of cameras on the network, hubs and proxies the password and all behind the first '?' or '=' (where
/// some cameras and hubs take theirs). Server tokens without a name are given the one that they go by, so
/// that they can be told apart.
std::string withoutSecrets(const std::string& document);

/// `candidate`, which may be anything, with the secrets of `inForce` where kHidden stands for them. Fails
/// where there is none, and where it would go to another machine than before: only what was given anew does.
/// Error: the place as a JSON pointer, then the sentence; never a secret.
Result<std::string> withSecretsOf(const std::string& inForce, const std::string& candidate);

}  // namespace edgecam::agent
