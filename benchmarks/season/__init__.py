"""A week of a season, played: farmers, officers and kiosks with sloppy habits; time is moved.

    python -m benchmarks.season [--farmers 200] [--officers 6] [--kiosks 4] [--seed 1]
                                [--write docs/season.md]

Everything is the real house in one process, its store and Redis too; only the mobile network is
played: what the outbox would hand over arrives. What people write is drawn from the tables of
`rig/dialogues/`, which tests prove row by row. One officer is on leave for three days, one never
answers, nobody new comes after the week, and the rest is played on until nothing is due any more.

Kept all along, or the run fails: after each round of sweeps no officer holds a case longer than the
rules allow; no text contradicts one that the same farmer got before it; at the end every case has
an answer, or a person and a day that the farmer was told.

* `habits.py`: who plays, and what each is wont to do and say.
* `play.py`: the week itself, hour by hour.
* `rules.py`: which texts contradict each other.
* `telling.py`: figures and one farmer's week.
"""
