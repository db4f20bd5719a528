"""Ed25519 (RFC 8032) and SM2 (GB/T 32918) from their standards, in plain integers: slow, and nothing here is for secrets.

Both kinds of signature are 64 bytes; a private key is 32. SM2 as this project uses it: hash SM3, signer "1234567812345678",
r || s big-endian, public key 04 || x || y.
"""
import functools
import hashlib

# --- Ed25519: points as (x, y) on -x^2 + y^2 = 1 + d x^2 y^2, extended coordinates inside ------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def ed_add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    p, q, r, s = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P, 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return e * f % P, g * h % P, f * g % P, e * h % P


def ed_times(k, point):
    result = (0, 1, 1, 0)
    while k:
        if k & 1:
            result = ed_add(result, point)
        point = ed_add(point, point)
        k >>= 1
    return result


def ed_x(y, sign):
    """The x of that y and sign bit; None: there is none."""
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if y >= P or (x2 == 0 and sign):
        return None
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def ed_point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = ed_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def ed_bytes(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = (lambda y: (ed_x(y, 0), y, 1, ed_x(y, 0) * y % P))(4 * pow(5, P - 2, P) % P)


def ed_secret(secret):
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & (2**254 - 8) | 2**254
    return a, h[32:]


def ed_hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


@functools.lru_cache(maxsize=64)
def ed25519_public(secret):
    return ed_bytes(ed_times(ed_secret(secret)[0], BASE))


def ed25519_sign(secret, message):
    a, prefix = ed_secret(secret)
    r = ed_hash(prefix, message)
    big_r = ed_bytes(ed_times(r, BASE))
    return big_r + ((r + ed_hash(big_r, ed25519_public(secret), message) * a) % L).to_bytes(32, "little")


@functools.lru_cache(maxsize=65536)
def ed25519_check(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = ed_point(public), ed_point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = ed_hash(signature[:32], public, message)
    return ed_bytes(ed_add(ed_times(s, BASE), ed_times(L - k, a))) == signature[:32]


# --- SM2: y^2 = x^3 + a x + b over the prime of GB/T 32918.5, Jacobian coordinates inside -----------------------------------
Q = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = Q - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
SIGNER = b"1234567812345678"


def sm2_double(p):
    x, y, z = p
    if not y or not z:
        return 0, 1, 0
    y2 = y * y % Q
    s, m = 4 * x * y2 % Q, 3 * (x - z * z) * (x + z * z) % Q
    x3 = (m * m - 2 * s) % Q
    return x3, (m * (s - x3) - 8 * y2 * y2) % Q, 2 * y * z % Q


def sm2_add(p, q):
    x1, y1, z1 = p
    x2, y2, z2 = q
    if not z1 or not z2:
        return q if not z1 else p
    u1, u2 = x1 * z2 * z2 % Q, x2 * z1 * z1 % Q
    s1, s2 = y1 * z2**3 % Q, y2 * z1**3 % Q
    if u1 == u2:
        return sm2_double(p) if s1 == s2 else (0, 1, 0)
    h, r = u2 - u1, s2 - s1
    h2 = h * h % Q
    h3, v = h * h2 % Q, u1 * h2 % Q
    x3 = (r * r - h3 - 2 * v) % Q
    return x3, (r * (v - x3) - s1 * h3) % Q, h * z1 * z2 % Q


def sm2_times(k, point):
    result, p = (0, 1, 0), (*point, 1)
    while k:
        if k & 1:
            result = sm2_add(result, p)
        p = sm2_double(p)
        k >>= 1
    return result


def sm2_affine(p):
    """None: the point at infinity."""
    x, y, z = p
    if not z:
        return None
    i = pow(z, Q - 2, Q)
    return x * i * i % Q, y * i**3 % Q


def number(n):
    return n.to_bytes(32, "big")


def sm3(*parts):
    return hashlib.new("sm3", b"".join(parts)).digest()


def sm2_point(public):
    """(x, y), or None when it is no point of the curve."""
    if len(public) != 65 or public[0] != 4:
        return None
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    return (x, y) if x < Q and y < Q and (y * y - x**3 - A * x - B) % Q == 0 else None


def sm2_e(public, message):
    z = sm3(len(SIGNER * 8).to_bytes(2, "big"), SIGNER, number(A), number(B), number(G[0]), number(G[1]), public[1:])
    return int.from_bytes(sm3(z, message), "big")


@functools.lru_cache(maxsize=64)
def sm2_public(secret):
    x, y = sm2_affine(sm2_times(int.from_bytes(secret, "big"), G))
    return b"\x04" + number(x) + number(y)


def sm2_sign(secret, message, nonce=None):
    """With a nonce that follows from key and message, so that what is made twice is the same."""
    d = int.from_bytes(secret, "big")
    k = int.from_bytes(nonce or sm3(b"nonce", secret, message), "big") % (N - 1) + 1
    r = (sm2_e(sm2_public(secret), message) + sm2_affine(sm2_times(k, G))[0]) % N
    s = pow(1 + d, N - 2, N) * (k - r * d) % N
    assert r and s and r + k != N
    return number(r) + number(s)


@functools.lru_cache(maxsize=65536)
def sm2_check(public, message, signature):
    point = sm2_point(public)
    if point is None or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    t = (r + s) % N
    if not 0 < r < N or not 0 < s < N or not t:
        return False
    sum_ = sm2_affine(sm2_add(sm2_times(s, G), sm2_times(t, point)))
    return sum_ is not None and (sm2_e(public, message) + sum_[0]) % N == r


def sm2_decrypt(secret, sealed):
    """GB/T 32918.4, DER of (x, y, C3, C2); None: not for this key."""
    parts = der_sequence(sealed)
    if parts is None:
        return None
    x, y, check, text = parts
    if sm2_point(b"\x04" + number(x) + number(y)) is None:
        return None
    shared = sm2_affine(sm2_times(int.from_bytes(secret, "big"), (x, y)))
    x2, y2 = number(shared[0]), number(shared[1])
    stream = b"".join(sm3(x2, y2, i.to_bytes(4, "big")) for i in range(1, len(text) // 32 + 2))
    plain = bytes(a ^ b for a, b in zip(text, stream))
    return plain if sm3(x2, plain, y2) == check else None


def der_item(data, at):
    """Lengths up to 255, in the fewest bytes."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length == 0x81:
        length, at = data[at], at + 1
        if length < 0x80:
            raise IndexError
    elif length > 0x7F:
        raise IndexError
    if at + length > len(data):
        raise IndexError
    return tag, data[at:at + length], at + length


def der_sequence(data):
    try:
        tag, inner, end = der_item(data, 0)
        if tag != 0x30 or end != len(data):
            return None
        found, at = [], 0
        for want in (2, 2, 4, 4):
            tag, value, at = der_item(inner, at)
            if tag != want or (want == 2 and (value[0] > 0x7F or (len(value) > 1 and not value[0] and value[1] < 0x80))):
                return None
            found.append(int.from_bytes(value, "big") if want == 2 else value)
        return found if at == len(inner) and max(found[:2]) < 2**256 else None
    except IndexError:
        return None
