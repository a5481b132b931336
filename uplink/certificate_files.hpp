// CertificateFiles: whether the PEM files that a config names can be used, before a socket needs them, so
// that a wrong one is told at once and by its path. Knows no socket. Each call blocks on the disk.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace edgecam::uplink {

/// Fails when the file does not begin with a certificate. Every error names its file, and no content of it.
Result<void> checkCertificate(const std::string& file);

/// Fails when the (first) certificate of the file is over or has not begun at `now`.
Result<void> checkDates(const std::string& file, Utc now);

/// Fails when the file holds no private key without a passphrase, or one that is not the certificate's.
Result<void> checkKey(const std::string& file, const std::string& certificateFile);

/// Fails when the file holds no certificate of an authority.
Result<void> checkAuthorities(const std::string& file);

/// The SHA-256 of the (first) certificate as browsers show it: 32 pairs of hexadecimal digits with colons.
Result<std::string> fingerprintOf(const std::string& certificateFile);

}  // namespace edgecam::uplink
