CREATE MATERIALIZED VIEW answer AS
SELECT r.rating_id, r.stars, r.route_id, r.channel, r.message, c.id, c.first_name, c.last_name, c.email, c.club_status
FROM ratings r LEFT JOIN customers c ON r.user_id = c.id
WHERE r.stars < 3 AND c.club_status = 'platinum'
