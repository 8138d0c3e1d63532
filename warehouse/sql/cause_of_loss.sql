-- Who made a record go, as far as the platform's answer tells. The first line that fits counts; state_basis is the answer, kept beside it.
--
-- Whole accounts first, since what happens to an account happens to all it wrote. Bluesky says it of the repository (getRepoStatus); 410 is
-- Mastodon's answer for what belonged to an account that was deleted or suspended for good.
-- Bluesky: records are in their author's hands, and "RecordNotFound" on the author's server means deleted there. What is still there
-- and not shown to the public was taken down by the platform.
-- WordPress: those who comment cannot take a comment back; the staff of the site held it, marked it as spam, put it in the trash or
-- deleted it. A post that is there but not for the public was unpublished or put in the trash by them.
-- Mastodon: 404 is the same answer for what the author deleted and for what a server removed: only for the City's own the author is known.
-- Where it is not the City, the author's account was asked about ("author: ..."): 404 or 410 for one that was deleted, "suspended" for one that
-- the server closed.
CREATE MACRO cause_of_loss(platform, author_is_account, state_basis) AS
CASE
    WHEN regexp_matches(state_basis, '\b(takendown|suspended|AccountTakedown)\b') THEN 'author_suspended'
    WHEN regexp_matches(state_basis, '\bgetRepoStatus: (deleted|deactivated|RepoNotFound)\b') THEN 'author_gone'
    WHEN platform = 'mastodon' AND (state_basis LIKE 'author: 404%' OR state_basis LIKE '%: 410%') THEN 'author_gone'
    WHEN platform = 'bluesky' AND state_basis LIKE '%: RecordNotFound' AND author_is_account THEN 'removed_by_city'
    WHEN platform = 'bluesky' AND state_basis LIKE '%: RecordNotFound' THEN 'deleted_by_author'
    WHEN platform = 'bluesky' AND state_basis LIKE '%does not show it' THEN 'removed_by_platform'
    WHEN platform = 'wordpress' AND state_basis LIKE 'confirm_comment: 40%' THEN 'removed_by_city'
    WHEN platform = 'wordpress' AND state_basis LIKE 'confirm_post: 404%' THEN 'removed_by_city'
    WHEN platform = 'wordpress' AND regexp_matches(state_basis, '^confirm_post: 40[13]\b') THEN 'made_private'
    WHEN platform = 'mastodon' AND regexp_matches(state_basis, ': 40[13]\b') THEN 'made_private'
    WHEN platform = 'mastodon' AND state_basis LIKE '%: 404%' AND author_is_account THEN 'removed_by_city'
    ELSE 'unknown'
END;

COMMENT ON MACRO cause_of_loss IS 'Who made a record go, as far as the platform''s answer tells.';
