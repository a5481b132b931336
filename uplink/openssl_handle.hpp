// OpensslHandle: OpenSSL's objects with an owner, and what it says of a failure. The one place where its C
// handles become C++.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace edgecam::uplink {

template <auto Free>
struct OpensslDeleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using BioHandle = std::unique_ptr<BIO, OpensslDeleter<&BIO_free_all>>;
using CertificateHandle = std::unique_ptr<X509, OpensslDeleter<&X509_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpensslDeleter<&EVP_PKEY_free>>;

/// For OpenSSL's readers: an empty passphrase for what has one. Without it OpenSSL would ask for it on the
/// terminal, and wait.
int noPassphrase(char* buffer, int size, int writing, void* user);

/// What OpenSSL says of the oldest failure on this thread, whose list of failures is empty then; it names no
/// content.
std::string opensslTrouble();

}  // namespace edgecam::uplink
