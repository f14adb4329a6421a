// Signatures by another implementation (PyJWT 2, over pyca/cryptography), so that signer and verifier here cannot be
// wrong in the same way. Each signs kPayload under the header {"alg":ALG,"kid":KID,"typ":"JWT"}; the private keys are
// gone.
#pragma once
#include <string_view>

namespace parley::auth::testing {

struct InteropKey {
  std::string_view kid;
  std::string_view jwk;  // without kid
  std::string_view thumbprint;
};
struct InteropSignature {
  std::string_view algorithm;
  std::string_view kid;
  std::string_view signature;
};

inline constexpr std::string_view kInteropPayload = R"({"sub":"u1","tenant_id":"acme","exp":4102444800})";

inline constexpr InteropKey kInteropKeys[] = {
    {"rsa",
     R"({"e":"AQAB","kty":"RSA","n":"xeWQfYCV1t_aTkV9DoHCeqP8fzAQ8N9QBKS9rjuETnh1gTD_rT0apokBc8DSJ)"
     R"(Hd4uVHX-h7ljCFZt6Qi05gqOni5DgJzxKQfT7_Gs4QY8iCYpTnyjyWfQJ5PcesayW1YSfpeu--YpPpDnqX8SgtNL0n)"
     R"(kh8SxtaDYUZR0cFc3ksoUYvWS8k-FqAGQQsEF0qhnG-BCPpwcnrLXMCXZ2UXHozAqMTHF9LVF2MoF5YoV7c3WBwgy_)"
     R"(7Z_6k0ze3pYPW_3n6wkqfX4fKixu2U4dXGgRyoahGs-X8QYxgzugl76vIpwfB_60kxrWKIgo1mXE9Xb363kRpE6a2l)"
     R"(2rk35nOoNSw"})",
     "eUmJamiT3i5Olo0wHcg66WZfrQoyIxVbJJU4cMINewo"},
    {"p256",
     R"({"crv":"P-256","kty":"EC","x":"K35aOUiRpJgk1emOfvi4TUpUfSPtkET9PFpVv4uZuOg","y":"0ZRVodsiZ)"
     R"(Wj19ihf8B1o7EBLDXDhCdUZIyOpC4YUcRI"})",
     "hAXDaLi7Coa5FA2vqrL8q18x0MM6aGK0uy8_XbqAgtI"},
    {"p384",
     R"({"crv":"P-384","kty":"EC","x":"bjuqyXDJY6pZTYtKfHomElHHTTJwJ19am-vKDw1TN_A3v5zRlWltnooNrJi)"
     R"(aFmRI","y":"GU0LYmGvaUbpMlsNRS5DBG8-FRPmKsL2_MjO_yJ_YYc25Hdf_qPmsF5RgfcOB4n6"})",
     "XoPnIsyndlnzR-M7C8Y6YadDCJdyCiWjByZMliRlzUg"},
    {"p521",
     R"({"crv":"P-521","kty":"EC","x":"AB7InSxqK9EZpXx2NM7z58GM8Vq9C0UkUJTppaS7Ioijndq3FiRwTtIpDS2)"
     R"(YotccnzKyTk1RF8W-6TZkyZ2L9oMK","y":"AAYwP9XWBPamnDbD-vgkRhylmgRVDEetBf5ouUB1muxrp-MXqkYpM0)"
     R"(WmFXOLSHG6sIRkz2R2aI6cUq5p5wgGHZhV"})",
     "3yQioy_BibJIaT2yhwgGL7nzLm7-rOnKe1KTSeYcdCE"},
    {"ed", R"({"crv":"Ed25519","kty":"OKP","x":"f6ikdb3aaosCTSMjzdJzmoPhyaHtJimiKNH_Sv7F8ks"})",
     "FhJELX7vFj7rIwYAwW6Gq01f8k0K1YJzsOffwxL2tI8"},
};

inline constexpr InteropSignature kInteropSignatures[] = {
    {"RS256", "rsa",
     "lndHUdydMO3_zUTJYHO0XSfdP5P9Jiwz-q5Gqc_ucG6axLQA2yWrGalGiD2kwGGUGHKauBvzWgSzG0E49aE2sz8Fp3tBPJWzZTw-"
     "hy-cKtPt2W1UasCtzr0vzQtMHqw0ZsD-VsO67xIV4_A6P2HhwTAMMsTFFYptrrebJhKXshSq-O4mP4swgns8tmhSsbv52m6BKWOA"
     "Y4BpcZ5RkyRXGhYpAMENjRav1g7HI_DGFR0qKUu0h1s5stAaPDn0bHelbXmtLa2clK0Ctxawy4X5VFuYfYVhyJ37bpdtg4SYJyQZ"
     "lJlnxnrOHIa_F5ZXSF5wxu6wY-ZgQrpdYPr-Kee87Q"},
    {"RS384", "rsa",
     "V8zS4FALtnLTK_6KP1Qi8LBexPvYzjHbtPp9fXAy9mS6Xt8ioOrNIi58L3-aLHSDCFi-_JpG-v2b6QdoqEz74JdtKPsxDP4JSevK"
     "hg438voCMLkO-_nGR_1lLSUaOYUnNDqwg9a_lrTrnBD_aBUIuGXAkcaMI52YOLZwEpW1DFauf8MzkJ19eOIHMgPLwPccFVh8D7y4"
     "2QMt1o01ZB4MFvqrZYhwE6YnFITImd5qLPMfLxhXiinYpbYkPdkLl5BdKk1KcZRNs5p4pzDEu1Ezui7vg7eqndvg_uOgt912L1wE"
     "Zxws2jN7E6KQ4pJe1oEEteWNMX0e2KtMKq5uCOR0_w"},
    {"RS512", "rsa",
     "rCeEaBbCtFNkVnttLyyBbzaL89boQmpYdIY2x_yQmf8f1Ax7M_4Z2RPKOqJbBsb4OZy9k5VBBvFsdC-7RJP28oih43tBxaNbtFzz"
     "o68Rjl9IVQdvPxFDzMCW5sfikIq5TGBMQ0rtXKezjwd3QqqAVkwWxdEn62HExZjVHWbi4QOY0Ok3sA2p_r_SYjAL70wiJm7QjJIX"
     "nZg5jkefhIq5CuizgjWNbn2VyOudMWeCkPRBtJ6HZC4w4asZyzSnFCPivdxj9woIfvCPz_ut5FliS0Yhpd_ofKBV7O9lXx7mCQpH"
     "gErfhPFXjToH_Bf-3YP6uoW1Pf6mc2CTqvfi3zddvA"},
    {"PS256", "rsa",
     "LnerCuFSyHYjMyWh2uXB8tALoJkIZpKCWkQJ69oibC_sRY0ulJJkNKR-dZ-ksYgxHpVm9Y7KCPLyeqzoVtSlypMOIvU7ETb64Euk"
     "x4IchjplwiCnJJ3THz627uvR847s_0kSiDx9D_eJtuDMwh9NOiFzxRNerreK4m7OJ0Y_KtkZ9zrNIdiTkWNBSBAmoluQIOB7-z9h"
     "PgQ9FnaIdn8q8yUm8EidcdH9QS1htr6mAGHT8a1naGYnplPR4vN8ZE6B3kROGyZMDsTNoeAhy0EY0fSyna1VHFx_7mgwT5tcHdM6"
     "sA6nDsJr9jgOFNmWXzDx-Mjb1CgLHXvFrfW5f9u1BQ"},
    {"PS384", "rsa",
     "J94zXKKUDCZIB-FjSSNARf_9nyvAu4pgG1DjBB0_kVL2Mhvq5ZBEUSnMLrwMVQHQzhzha-BdBYBDyepLIdGj37CS_8nOHyewRKVU"
     "5snA0ylosO_eQhSgP5vSz9AeBS2zyzKvQmUeKdgWEdT8po-TZtg_yQzaYW07Gkgvl-NK_lw1drED77lUguhqSi3TIe6Id9WAYh6d"
     "w4Sq8SaT0bM_hQ_ldFF6mgKk1HhnHwC2BhF_kL1d0zyhGoPnpF06JrhLdqqZb0-85KONTUcsLXfTBJlQePbaiWAJF9bBkNvp3wu9"
     "DP3laK3sCDIamAwvv-TOZZGCvPLACKKbuUrnBMj2gQ"},
    {"PS512", "rsa",
     "et72z1HlvW3M0ALEcCYEvu3fA3RRjYZfMLchPFGmVhC46E89MLmXdxGS3gVRhfXyXCENDtghv9e24hTRcvTlwJFJrdDPTx8b7NRI"
     "VmbRKxeHDWCf8m9eiJhaSsF3B4pizPBVrJsceZSaCmaoEzjBrhbvahGuu_ZTsiEmjoaEznYggLZ2p-aAuhlO0oaIjCmEevQMFD56"
     "UAtYaqQjqdwFBc_0d5axBxlCislyNH7fQEaKg64go-myI73SayGY6tqqU0dSjcb8BMntePHQtIV3wfkMH-sdm9pHy2IS5HSQyhq2"
     "fOX4KJAZDksWZL-zBeU7hOmBAraLtlR3n5ExIo5r9g"},
    {"ES256", "p256", "UGRPGRO_oUklHJceVZzgGAztPwXcJny0ss7PBh7QO6QH-Uvu15djoBoJYAY8VtkXmK6K6QoerbFgVoeObNYiYQ"},
    {"ES384", "p384",
     "VSYXdOtRwLMl6mtyrlibIgmWDFtxcIKjO0o3TUHYLBvO2-1lk5Hv80HSBMDtPmnq5wbaoUUc2Py4a1amoZuZBMJCwgErLVXVuNvn"
     "6ZQY_npvgkGbHESN9ifJ4oAF-Fwm"},
    {"ES512", "p521",
     "AVS9Ydvj3ZtesLJkasocMJqwPHWooAKymZ6j_IMWdYcIH9YP2XMx7bQK-i4vJIZkYxbGlEsIBxns-SzRwnntH3SfAN5ImfDM-hs2"
     "Z6ts_Iyig4a44CnEQhjjuC5G4fAZPXzS7zg6NQ0G0hyCC0mZMbT_mk1FeEFsuX4D-9SnpNlr_qRE"},
    {"EdDSA", "ed", "Dp7Bik5SUjzPRzZzB6tQ5rsYVcO1XY4kXluJzq7uFvYYk0gNO-piG7BgZm2lW5oCBKsuaNBUlr0a8BxkjnpUDA"},
};

}  // namespace parley::auth::testing
