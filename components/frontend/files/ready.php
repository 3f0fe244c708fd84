<?php
// Apache and PHP answer. The database is not asked: while it restarts, a page that says so is better than no
// pod at all.
http_response_code(204);
