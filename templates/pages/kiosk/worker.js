// The worker of this version; the files that it keeps, and nothing else, are filled in here.

import { serve } from "/static/{{ version }}/kiosk/worker.js";

serve("{{ version }}", {{ files|tojson }});
