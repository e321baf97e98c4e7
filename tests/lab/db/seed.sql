-- Data of the reference app, the same on every run: 60 000 users, 200 000 sessions, 130 000 pitches, 80 000 NDAs,
-- 250 000 follows, 300 000 messages and 1 500 000 views. Popularity is skewed: the share of the first x of n items is
-- about (x/n)^(1/3), so that a few users and pitches get most of the traffic. Times are relative to today.
SET ROLE pitch;
SET synchronous_commit = off;
SELECT setseed(0.2611);

-- An item out of n, skewed towards 1.
CREATE FUNCTION pg_temp.skewed(n integer) RETURNS integer
    LANGUAGE sql VOLATILE RETURN 1 + floor(n * power(random(), 3))::integer;

-- A moment within the last n days, skewed towards today.
CREATE FUNCTION pg_temp.recently(days integer) RETURNS timestamptz
    LANGUAGE sql VOLATILE RETURN date_trunc('day', now()) - make_interval(secs => days * 86400 * power(random(), 2));

CREATE FUNCTION pg_temp.pick(words text[], n integer) RETURNS text
    LANGUAGE sql IMMUTABLE RETURN words[1 + n % cardinality(words)];

-- Name number n of 8 000, three syllables: 'Markobel'.
CREATE FUNCTION pg_temp.place(n integer) RETURNS text
    LANGUAGE sql IMMUTABLE RETURN initcap(
        pg_temp.pick('{mar,ven,tol,kas,bri,dor,fel,gar,hol,jun,lor,mir,nor,pel,rav,sel,tam,vor,wes,zan}', n)
        || pg_temp.pick('{a,i,o,e,ko,la,mi,ne,ru,ta,ve,zo,di,gu,ha,ja,lu,no,pa,si}', n / 20)
        || pg_temp.pick('{bel,can,dor,fin,gar,hal,lin,mar,nas,pol,ran,sil,ton,ul,var,wen,xis,yon,zar,rick}', n / 400));

CREATE TEMP TABLE words AS SELECT
    '{Silent,Burning,Last,Hidden,Golden,Broken,Distant,Crimson,Frozen,Secret,Wild,Forgotten,Electric,Hollow,Midnight,
      Paper,Velvet,Savage,Gentle,Invisible,Endless,Restless,Sunken,Stolen,Luminous,Bitter,Northern,Borrowed,Quiet,
      Final}'::text[] AS adjectives,
    '{Harbor,Lantern,Empire,Orchard,River,Machine,Garden,Signal,Mirror,Voyage,Kingdom,Letter,Summer,Winter,Engine,
      Island,Desert,Cathedral,Station,Carnival,Archive,Horizon,Bridge,Compass,Theatre,Library,Forest,Comet,Tide,
      Waltz}'::text[] AS nouns,
    '{drama,comedy,thriller,horror,romance,scifi,fantasy,crime,documentary,family,western,musical}'::text[] AS genres,
    '{feature,series,short,documentary,animation}'::text[] AS formats,
    '{concept,development,preproduction,production,postproduction}'::text[] AS stages,
    '{DE,FR,GB,US,ES,IT,PL,SE,NL,CA,BR,IN,JP,KR,AU}'::text[] AS countries,
    '{browse,search,dashboard,mail,direct}'::text[] AS sources;

INSERT INTO users (id, email, display_name, kind, company, country, bio, verified, created_at, last_seen_at)
SELECT n,
       'User' || n || '@Example.org',
       pg_temp.place(n * 7) || ' ' || pg_temp.place(n * 13 + 5),
       pg_temp.pick('{writer,writer,writer,producer,investor}', n),
       CASE WHEN n % 3 = 0 THEN pg_temp.place(n % 900) || ' Pictures' END,
       pg_temp.pick(countries, (random() * random() * 15)::integer),
       repeat(pg_temp.pick(adjectives, n) || ' stories about a ' || pg_temp.pick(nouns, n / 7) || '. ', 3),
       n % 4 = 0,
       pg_temp.recently(1500),
       pg_temp.recently(200)
FROM generate_series(1, 60000) n, words;

-- One live session for every user, with a token that a scenario can compute; the rest are old.
INSERT INTO sessions (id, user_id, token, user_agent, created_at, expires_at, revoked_at)
SELECT n,
       CASE WHEN n <= 60000 THEN n ELSE pg_temp.skewed(60000) END,
       md5(CASE WHEN n <= 60000 THEN 'session-' ELSE 'old-session-' END || n),
       'Mozilla/5.0 (X11; Linux x86_64) Firefox/' || 100 + n % 45,
       CASE WHEN n <= 60000 THEN pg_temp.recently(30) ELSE now() - interval '400 days' * (0.1 + random()) END,
       CASE WHEN n <= 60000 THEN now() + interval '5 years' ELSE now() - interval '30 days' * random() END,
       CASE WHEN n > 60000 AND n % 5 = 0 THEN now() - interval '30 days' * random() END
FROM generate_series(1, 120000) n;

INSERT INTO pitches (id, author_id, title, logline, synopsis, status, genre, format, stage, budget_eur, view_count,
                     like_count, created_at, updated_at, published_at)
SELECT n,
       author_id,
       adjective || ' ' || noun || ' of ' || place,
       format('A %s from %s finds a %s and must choose between the %s and home.',
              pg_temp.pick('{nurse,pilot,teacher,thief,detective,farmer,singer,soldier}', n), place, lower(noun), genre),
       repeat(format('In %s the %s changes everything; nobody who sees it comes back the same. ', place, lower(noun)), 4),
       status, genre, format, stage, budget_eur,
       (40000 * power(random(), 6))::integer,
       (4000 * power(random(), 6))::integer,
       created_at,
       created_at + (now() - created_at) * random(),
       CASE WHEN status NOT IN ('draft', 'review') THEN created_at + (now() - created_at) * random() * 0.2 END
FROM (SELECT n,
             pg_temp.skewed(60000) AS author_id,
             pg_temp.pick(adjectives, (random() * 1000000)::integer) AS adjective,
             pg_temp.pick(nouns, (random() * 1000000)::integer) AS noun,
             pg_temp.place(pg_temp.skewed(8000)) AS place,
             pg_temp.pick('{published,published,published,published,published,published,draft,draft,review,optioned,archived,archived}',
                          (random() * 1000000)::integer) AS status,
             pg_temp.pick(genres, pg_temp.skewed(12) - 1) AS genre,
             pg_temp.pick(formats, pg_temp.skewed(5) - 1) AS format,
             pg_temp.pick(stages, pg_temp.skewed(5) - 1) AS stage,
             (50000 * power(10, 3 * random()))::integer AS budget_eur,
             pg_temp.recently(1200) AS created_at
      FROM generate_series(1, 80000) n, words) pitch;

INSERT INTO ndas (id, pitch_id, signer_id, status, created_at, signed_at, expires_at)
SELECT n, pg_temp.skewed(80000), pg_temp.skewed(60000), status, created_at,
       CASE WHEN status IN ('signed', 'expired') THEN created_at + interval '3 days' * random() END,
       created_at + interval '2 years'
FROM (SELECT n,
             pg_temp.pick('{signed,signed,signed,pending,declined,expired}', (random() * 1000000)::integer) AS status,
             pg_temp.recently(900) AS created_at
      FROM generate_series(1, 60000) n) nda;

INSERT INTO follows (id, follower_id, followed_id, created_at)
SELECT n, 1 + floor(60000 * random()), pg_temp.skewed(60000), pg_temp.recently(1200)
FROM generate_series(1, 150000) n;

INSERT INTO messages (id, sender_id, recipient_id, pitch_id, subject, body, created_at, read_at)
SELECT n,
       1 + floor(60000 * random()),
       pg_temp.skewed(60000),
       CASE WHEN n % 3 > 0 THEN pg_temp.skewed(80000) END,
       'About the ' || pg_temp.pick(nouns, n),
       repeat('We read your pitch about the ' || lower(pg_temp.pick(nouns, n)) || ' and would like to talk. ', 2),
       created_at,
       CASE WHEN random() < 0.9 THEN created_at + interval '5 days' * random() END
FROM (SELECT n, pg_temp.recently(700) AS created_at FROM generate_series(1, 150000) n) message, words;

INSERT INTO views (id, pitch_id, viewer_id, source, seconds, viewed_at)
SELECT n,
       pg_temp.skewed(80000),
       CASE WHEN random() < 0.7 THEN pg_temp.skewed(60000) END,
       pg_temp.pick(sources, pg_temp.skewed(5) - 1),
       (600 * power(random(), 4))::integer,
       pg_temp.recently(365)
FROM generate_series(1, 1100000) n, words;

-- What users insert continues after the seed.
SELECT setval(pg_get_serial_sequence(name, 'id'), 10000000)
FROM unnest('{users,sessions,pitches,ndas,follows,messages,views}'::text[]) name;
