"""Which passwords are among the first that are tried: walks over keys, repeats, usual words. Pure.

Lists of stolen passwords (the 10,000 that are most common and long enough for us) consist of little
else. Nothing is asked about kinds of characters (NIST SP 800-63B, section 5.1.1.2).
"""

import re

KEYS = ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")
WALK_PART = 3  # Of four characters so many are neighbours of the one before: a walk.
STRANGE_MAX = 3  # So few characters beside usual words make no secret.
PIECE_MAX = 11  # A longer piece is a password of its own, also if it is there twice.
WORDS_MAX = 2  # Three words or more make one, also if they are usual ones.
OTHER_WRITING = str.maketrans("013457@$!8", "oleastasib")
# fmt: off
WORDS = (
    "administrator", "administration", "changeme", "changeit", "default", "dockledger",
    "password", "passwort", "passwd", "parola", "contrasena", "motdepasse", "mima", "woaini",
    "qwerty", "qwertz", "azerty", "asdfgh", "zxcvbn", "letmein", "welcome", "willkommen",
    "iloveyou", "ichliebedich", "loveyou", "forever", "princess", "sunshine", "superman",
    "superstar", "spiderman", "batman", "pokemon", "minecraft", "playstation", "starwars",
    "startrek", "matrix", "football", "baseball", "basketball", "softball", "hockey", "soccer",
    "liverpool", "chelsea", "arsenal", "manchester", "barcelona", "juventus", "realmadrid",
    "mustang", "corvette", "ferrari", "porsche", "mercedes", "yamaha", "harley", "monster",
    "monkey", "dragon", "tiger", "shadow", "master", "hunter", "killer", "ranger", "buster",
    "charlie", "michael", "michelle", "jessica", "jennifer", "jordan", "daniel", "thomas",
    "andrew", "anthony", "ashley", "amanda", "nicole", "samantha", "alexander", "christopher",
    "christian", "robert", "joshua", "matthew", "patrick", "william", "richard", "justinbieber",
    "michaeljackson", "america", "china", "beijing", "shanghai", "germany", "london", "computer",
    "internet", "windows", "microsoft", "google", "facebook", "samsung", "iphone", "android",
    "raspberry", "raspberrypi", "server", "database", "network", "security", "system", "root",
    "admin", "user", "guest", "test", "testing", "demo", "login", "secret", "geheim", "access",
    "warehouse", "stock", "ledger", "gateway", "scanner", "company", "office", "manager",
    "summer", "sommer", "winter", "spring", "autumn", "herbst", "january", "monday", "friday",
    "whatever", "trustno", "freedom", "blessed", "jesus", "jesuschrist", "ingodwetrust", "angel",
    "cheese", "chocolate", "cookie", "pepper", "banana", "flower", "butterfly", "rainbow",
    "fuckyou", "asshole", "bitch", "pussy", "sexy", "money", "hello", "hallo", "love", "abc",
    "counterstrike", "finalfantasy", "needforspeed", "residentevil", "mortalkombat", "metallica",
    "nirvana", "slipknot", "linkinpark", "sonyericsson", "motorola", "nokia", "leavemealone",
    "whosyourdaddy", "iseedeadpeople", "sanfrancisco", "newyork", "peanutbutter", "correcthorse",
    "correcthorsebatterystaple", "jamesbond", "temp", "pass", "word", "the", "my",
)
# What is common in such lists and no rule here finds.
STOLEN = frozenset({
    "014702580369", "01telemike01", "159753456852", "1a2s3d4f5g6h", "1qa2ws3ed4rf5tg",
    "23176djivanfros", "31217221027711", "32615948worms", "41d8cd98f00b", "4815162342lost",
    "59382113kevinp", "742617000027", "89231243658s", "89876065093rax", "a1s2d3f4g5h6",
    "amadeusptfcor", "an83546921an13", "andrewjackie", "antananarivu", "auckland2010",
    "avrillavigne", "bltynbabrfwbz", "boy4u2ownnyc", "bpgjldsgjldthnf", "businessbabe",
    "chickenwing101", "cjdthitycndj", "combat123654", "contortionist", "corperfmonsy",
    "devilmaycry4", "digitalprodu", "dkflbvbhjdbx", "dkflbvbhjdyf", "domainlock2005",
    "fkmnthyfnbdf", "fktrcfylhjdbx", "fktrcfylhjdf", "fktrcfylhjdyf", "flvbybcnhfnjh",
    "frederiksberg", "fucktheworld", "fynfyfyfhbde", "ghbdtnrfrltkf", "ghhh47hj7649",
    "ghjcnjgbpltw", "ghjcnjgfhjkm", "ghjcnjqgfhjkm", "ghjcnjrdfibyj", "ghjnbdjcnjzybt",
    "gjkysqgbpltw", "greenlantern", "gtnhjpfdjlcr", "hd764nw5d7e1vb1", "hedimaptfcor",
    "iampurehaha2", "iloveboobies", "ilovemyfamily", "installdevic", "installsqlst",
    "lhbjkjubz2957704", "lost4815162342", "lytghjgtnhjdcr", "mailcreated5240", "maprchem56458",
    "massimiliano", "masterbaiting", "masterbating", "masturbation", "maurolarastefy",
    "mevefalkcakk", "minnesota_hp", "momsanaladventure", "morganstanley", "msorcloledbr",
    "nemvxyheqdd5oqxyxyzi", "networkingpe", "newproject2004", "nhecsyfujkjdt", "nhfycajhvths",
    "nightcrawler", "nondriversig", "olcrackmaster", "ontheoutside", "p030710p$e4o",
    "paraklast1974", "passwordstandard", "polniypizdec0211", "polniypizdec110211",
    "pornographic", "ptybnxtvgbjy", "punksnotdead", "qazwsxedcrfvtgb", "rfnthbyf1988",
    "saun24865709", "schoolgirlie", "seemnemaailm", "sojdlg123aljg", "sonnenschein",
    "specialinsta", "stickdaddy77", "stinkyfinger", "stratocaster", "systemofadown",
    "thecakeisalie", "ticketmaster", "vanyarespekt", "vfvfvskfhfve", "vladimirovna",
    "warhammer40k", "wazzkaprivet", "websolutions", "websolutionssu", "webuivalidat",
    "weihnachtsbau", "weihnachtsbaum", "xxxp455w0rd5", "z1x2c3v4b5n6m7", "zcfvfzkexifz",
    "zqjphsyf6ctifgu",
})
# fmt: on
_USUAL = re.compile("|".join(sorted(map(re.escape, WORDS), key=len, reverse=True)))
_PLACES = {key: (row, place) for row, keys in enumerate(KEYS) for place, key in enumerate(keys)}


def is_guessed(password: str, *, name: str) -> bool:
    """Return whether a password is soon guessed by whoever knows the name."""
    plain = "".join(password.casefold().split())
    if not plain or name.casefold() in plain:
        return True
    forms = {plain, plain.translate(OTHER_WRITING)}
    return (
        plain in STOLEN
        or _repeats(plain)
        or _is_walk(plain)
        or any(_is_usual(form) for form in forms)
    )


def _repeats(plain: str) -> bool:
    """Return whether a text is one piece again and again, also begun but not ended."""
    for length in range(1, min(len(plain) // 2, PIECE_MAX) + 1):
        piece = plain[:length]
        if (piece * (len(plain) // length + 1)).startswith(plain):
            return True
    return False


def _is_walk(plain: str) -> bool:
    near = 0
    for number, key in enumerate(plain[1:], 1):
        before = plain[number - 1]
        # 01 02 03 04: every second digit stays or counts on.
        every_second = key.isdecimal() and number > 1 and abs(ord(key) - ord(plain[number - 2])) < 2
        near += _is_near(before, key) or every_second
    return near * 4 >= len(plain) * WALK_PART - 4


def _is_near(one: str, other: str) -> bool:
    if one == other or abs(ord(one) - ord(other)) == 1:
        return True
    if one not in _PLACES or other not in _PLACES:
        return False
    row, place = _PLACES[one]
    other_row, other_place = _PLACES[other]
    return abs(row - other_row) <= 1 and abs(place - other_place) <= 1


def _is_usual(plain: str) -> bool:
    left, words = _USUAL.subn("", plain)
    strange = [character for character in left if character.isalpha()]
    return 0 < words <= WORDS_MAX and len(strange) <= STRANGE_MAX
