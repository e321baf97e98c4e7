-- References are validated once over the loaded data, which is much faster than row by row.
SET ROLE pitch;

ALTER TABLE sessions ADD FOREIGN KEY (user_id) REFERENCES users;
ALTER TABLE pitches  ADD FOREIGN KEY (author_id) REFERENCES users;
ALTER TABLE ndas     ADD FOREIGN KEY (pitch_id) REFERENCES pitches, ADD FOREIGN KEY (signer_id) REFERENCES users;
ALTER TABLE follows  ADD FOREIGN KEY (follower_id) REFERENCES users, ADD FOREIGN KEY (followed_id) REFERENCES users;
ALTER TABLE messages ADD FOREIGN KEY (sender_id) REFERENCES users, ADD FOREIGN KEY (recipient_id) REFERENCES users,
                     ADD FOREIGN KEY (pitch_id) REFERENCES pitches;
ALTER TABLE views    ADD FOREIGN KEY (pitch_id) REFERENCES pitches, ADD FOREIGN KEY (viewer_id) REFERENCES users;
