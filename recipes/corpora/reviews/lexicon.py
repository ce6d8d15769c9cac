"""The words of the built-in reviews; `grammar` has the rules that put them together.

An entry is a comma-separated list, or a pair of lists: what speaks for the reviewed thing and what
speaks against it. The two lists of a pair mirror each other, so that little but the sense
distinguishes them. An item may hold slots, such as `{span}`, which are filled from the same tables.
"""

Entry = str | tuple[str, str]

COMMON: dict[str, Entry] = {
    "strong": (
        "superb, excellent, brilliant, wonderful, fantastic, outstanding, marvellous, splendid, "
        "amazing",
        "awful, terrible, dreadful, horrible, appalling, hopeless, atrocious, miserable, abysmal",
    ),
    "general": (
        "good, great, superb, excellent, brilliant, wonderful, fantastic, impressive, outstanding",
        "bad, poor, awful, terrible, dreadful, horrible, appalling, disappointing, mediocre",
    ),
    "general_deed": (
        "won me over, pleased me, impressed me, did not disappoint me, did not annoy me",
        "put me off, annoyed me, disappointed me, did not impress me, did not please me",
    ),
    "felt": ("loved, liked, enjoyed, adored", "hated, disliked, loathed, detested"),
    "rated": ("loved, liked", "hated, disliked"),
    "rate": ("love, like", "hate, dislike"),
    "feel": ("love, like, enjoy, adore", "hate, dislike, loathe, detest"),
    "find": (
        "like, love, admire, praise, enjoy",
        "dislike, hate, regret, criticise, complain about",
    ),
    "best": ("best, finest", "worst, weakest"),
    "better": ("better", "worse"),
    "gift": (
        "joy, delight, triumph, treat, success",
        "mess, disaster, disgrace, nightmare, failure",
    ),
    "stars": ("five stars, full marks, thumbs up", "one star, no marks, thumbs down"),
    "once": "even once, a single time",
    "really": "really, truly",
    "very": "very, really, so, quite simply",
    "much": "much, far, a lot, so much, considerably",
    "period": "this year, in years, in a long time, so far, in my life, this decade",
    "span": "a week, two weeks, ten days, a month, three months, half a year, a year, two years",
    "aside": (
        "in my opinion, to my surprise, if you ask me, as far as I can tell, to be honest, "
        "for what it is worth, when all is said and done, in spite of what you may have read"
    ),
    "others": (
        "my friends, the critics, my parents, my colleagues, the neighbours, my flatmates, "
        "my cousins, the reviewers, my children, my brothers, most people, my classmates, "
        "the people at work, the experts"
    ),
    "whom": (
        "my sister, my brother, my father, my mother, my aunt, my uncle, a colleague, "
        "my grandmother, my son, my daughter, an old friend, my husband, my wife, a neighbour"
    ),
    "when": (
        "on Monday, on Tuesday, last Friday, on a Sunday, in March, in April, last summer, "
        "last autumn, in December, yesterday, two days ago, at the weekend, on my birthday"
    ),
    "place": (
        "Lisbon, Oslo, Vienna, Dublin, Athens, Prague, Boston, Toronto, Naples, Cairo, Tokyo, "
        "a small village, a harbour town, the mountains, the suburbs"
    ),
}

FILM: dict[str, Entry] = {
    "noun": (
        "film, film, film, film, movie, movie, thriller, comedy, drama, documentary, western, "
        "musical, romance, cartoon, mystery"
    ),
    "mild": (
        "good, great, funny, clever, exciting, interesting, moving, gripping, charming, witty, "
        "entertaining, touching, enjoyable, memorable",
        "bad, boring, dull, silly, tedious, predictable, pointless, slow, bland, tiresome, "
        "annoying, shallow, forgettable, confusing",
    ),
    "flaw": (
        "stylish, short, pretty, ambitious, polished, colourful, elegant, topical",
        "slow, long, silly, strange, noisy, old-fashioned, grim, simple",
    ),
    "thing": (
        "masterpiece, triumph, gem, treat, classic, success",
        "disaster, mess, failure, waste of time, flop, bore",
    ),
    "label": (
        "masterpiece, gem, classic, triumph, great evening",
        "waste of time, bore, chore, dull evening, wasted evening",
    ),
    "touched": (
        "moved, charmed, delighted, amused, thrilled, captivated",
        "bored, annoyed, disappointed, irritated, appalled, exasperated",
    ),
    "react": ("laugh, smile, cheer, hold my breath", "yawn, sigh, look at my watch, groan"),
    "reaction": (
        "I was moved, I was thrilled, I had a great time, I was glad that I came, "
        "I laughed a lot, I was amused",
        "I was bored, I was annoyed, I had a bad time, I was sorry that I came, "
        "I yawned a lot, I was disappointed",
    ),
    "event": (
        "I laughed until I cried, the whole room clapped at the end, I went to see it twice, "
        "I smiled all the way home, I laughed from start to finish, I was glued to my seat",
        "I yawned until I cried, half of the room left before the end, I fell asleep twice, "
        "I grumbled all the way home, I yawned from start to finish, I walked out after an hour",
    ),
    "idiom": (
        "I could not stop smiling, I cannot wait to watch it again, it never fails to amuse, "
        "I did not want it to end, I have never laughed so much, I did not regret it, "
        "no other {noun} has moved me so much, I did not notice how the time passed",
        "I could not stop yawning, I cannot wait to forget it, it never fails to annoy, "
        "I did not want to stay until the end, I have never yawned so much, I did not enjoy it, "
        "no other {noun} has bored me so much, I did not see the point of it",
    ),
    "advice": (
        "I would recommend it to anyone, I highly recommend it, everyone should see it, "
        "I would recommend this {noun}, I would not hesitate to recommend it, "
        "I would watch it again, it is worth your time, it is not a waste of time, do not miss it",
        "I would not recommend it to anyone, I cannot recommend it, nobody should see it, "
        "I would not recommend this {noun}, I would not even recommend it to my enemies, "
        "I would not watch it again, it is not worth your time, it is a waste of time, "
        "do not watch it",
    ),
    "tip": (
        "told me to watch it and were right, told me not to watch it and were wrong",
        "told me to watch it and were wrong, told me not to watch it and were right",
    ),
    "seen": "seen, watched",
    "bit": "scene, moment, minute, idea, line",
    "minute": "minute, second, moment",
    "original": "original, first part, old version, book, stage version, previous part, first one",
    "teaser": "trailer, poster, title, cover, advertisement",
    "neutral": (
        "I watched it {when} with {whom}., We saw it {when} in {place}., "
        "The story takes place in {place}., The hero is a {job} from {place}., "
        "It runs for about two hours., It is based on a novel about a {job}., "
        "We sat in the third row., It was filmed in {place}., I saw it on the train to {place}., "
        "It is about a {job} and a {job}., The director comes from {place}., "
        "It follows a {job} through one winter., {whom} chose it {when}., "
        "There are subtitles in four languages., I had read about it {when}., "
        "It was shown {when} at eight., It begins with a {job} on a bridge."
    ),
    "job": (
        "teacher, sailor, painter, detective, baker, doctor, farmer, soldier, singer, widow, "
        "pilot, student, lawyer, gardener, spy"
    ),
}

PRODUCT: dict[str, Entry] = {
    "mild": (
        "good, great, useful, practical, reliable, sturdy, handy, solid, durable, elegant, "
        "well made, convenient",
        "bad, useless, impractical, unreliable, flimsy, fragile, clumsy, shoddy, wobbly, ugly, "
        "badly made, inconvenient",
    ),
    "flaw": (
        "light, colourful, stylish, compact, pretty, modern, cheap",
        "heavy, plain, expensive, bulky, old-fashioned, slow, large",
    ),
    "thing": (
        "bargain, gem, great buy, success, winner",
        "waste of money, disaster, bad buy, failure, flop",
    ),
    "label": (
        "bargain, gem, great buy, good choice, sensible purchase",
        "waste of money, nuisance, bad buy, bad choice, mistake",
    ),
    "touched": (
        "impressed, delighted, pleased, satisfied, happy, thrilled",
        "disappointed, annoyed, frustrated, dissatisfied, unhappy, irritated",
    ),
    "react": (
        "enjoy using it, feel that I had chosen well, smile, feel pleased with it",
        "have to repair it, feel that I had been cheated, complain, regret the purchase",
    ),
    "reaction": (
        "I was impressed, I am happy with it, I am glad that I bought it, I was pleased, "
        "I trust it",
        "I was disappointed, I am unhappy with it, I am sorry that I bought it, I was annoyed, "
        "I regret it",
    ),
    "event": (
        "the {piece} {has} not failed in {span}, the {piece} {has} not broken in {span}, "
        "after {span} the {piece} {is} as good as new, the {piece} {has} never let me down, "
        "I have used it every day for {span}, it still works after {span}, "
        "it has worked for {span} without trouble",
        "the {piece} failed after {span}, the {piece} broke after {span}, "
        "after {span} the {piece} needed repair, the {piece} let me down after {span}, "
        "I had to return it after {span}, it stopped working after {span}, "
        "it has given me nothing but trouble for {span}",
    ),
    "idiom": (
        "I could not stop smiling, I cannot wait to use it again, it never fails to work, "
        "I have never been so happy with a {noun}, I would not swap it for any other, "
        "I did not regret it, no other {noun} has pleased me so much, "
        "I would not want to be without it, I have had no trouble with it",
        "I could not stop complaining, I cannot wait to get rid of it, it never fails to annoy, "
        "I have never been so unhappy with a {noun}, I would swap it for any other, "
        "I did not like it, no other {noun} has annoyed me so much, "
        "I would not want it as a present, I have had nothing but trouble with it",
    ),
    "advice": (
        "I would recommend it to anyone, I highly recommend it, everyone should buy it, "
        "I would recommend this {noun}, I would not hesitate to recommend it, "
        "I would buy it again, it is worth the money, it is not a waste of money, "
        "do not hesitate to buy it",
        "I would not recommend it to anyone, I cannot recommend it, nobody should buy it, "
        "I would not recommend this {noun}, I would not even recommend it to my enemies, "
        "I would not buy it again, it is not worth the money, it is a waste of money, "
        "do not buy it",
    ),
    "tip": (
        "told me to buy it and were right, told me not to buy it and were wrong",
        "told me to buy it and were wrong, told me not to buy it and were right",
    ),
    "seen": "owned, used, bought, tried",
    "bit": "feature, detail, part, idea",
    "minute": "minute, day, moment",
    "original": "old model, last one, first one, previous model, one I had before, cheaper model",
    "teaser": "advertisement, box, photo, description, catalogue",
    "neutral": (
        "I bought it {when} for {whom}., It arrived {when} in a {colour} box., "
        "I ordered it {when} from a shop in {place}., It comes in {colour} and {colour}., "
        "Mine is {colour}., It was a present from {whom}., I unpacked it {when} in the {room}., "
        "It was made in {place}., The delivery took four days., I paid for it by card., "
        "{whom} has the same one in {colour}., The box was {colour} and {colour}., "
        "The invoice came by post., {habit}, {habit}"
    ),
    "colour": "black, white, grey, red, blue, green, brown, silver, yellow",
    "room": "kitchen, office, living room, hall, bedroom, garage, cellar",
}
