-- Who is who: an account belongs to the person it was matched to, else it stands alone below -1.
CREATE TABLE person_of AS
    SELECT a.id AS account_id, coalesce(p.key, -1 - a.key) AS person_key
    FROM account a LEFT JOIN person_link l ON l.account_id = a.id AND l.state = 'accepted' AND l.counted
        LEFT JOIN person p ON p.id = l.person_id AND p.counted;
