-- Grain: one person, or one team at the levels of sums; work without a person is the unassigned resource's (type -3).
SELECT pd_guid('resource', person_key) AS ResourceId, person_label AS ResourceName, team AS ResourceGroup,
    (CASE WHEN person_key = -1 THEN -3 ELSE 2 END)::SMALLINT AS ResourceType, true AS ResourceIsActive,
    false AS ResourceIsGeneric, getvariable('pd_sums') AND person_key <> -1 AS ResourceIsTeam,
    getvariable('pd_moment')::TIMESTAMP AS ResourceModifiedDate
FROM dim_person
