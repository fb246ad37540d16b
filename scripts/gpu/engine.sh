# engine.sh: stages under time limits, for gpu.sh, which sources it. A stage is a function
# stage_NAME that is run by `gpu.sh --stage NAME` in a process of its own, so that a
# failure or a hang is its own alone.
#
# WORK is a folder for everything that is large, RESULTS one for what is kept: NAME.log,
# NAME.jsonl (what a stage puts there) and stages.tsv (name, status, seconds, limit, note).
# OUT gets two files, rewritten after every stage: summary.md and gpu-results.tar.gz.

# A stage says why it does nothing with `skip REASON`.
skip() {
    echo "$*" >"$RESULTS/.skip"
    echo "not run: $*"
    exit 77
}

seconds_left() { echo $((DEADLINE - $(date +%s))); }

record() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$RESULTS/stages.tsv"; }

# run_stages SCRIPT TABLE...: rows "name share least" in order. Of the time that is left a
# stage may use its share among the shares of those still to come, so what one leaves
# over is for all that follow. One that cannot have `least` seconds is not run.
run_stages() {
    local script=$1 row name share least rest
    shift
    while [ $# -gt 0 ]; do
        read -r name share least <<<"$1"
        rest=0
        for row in "$@"; do
            read -r _ row _ <<<"$row"
            rest=$((rest + row))
        done
        run_stage "$script" "$name" "$(($(seconds_left) * share / rest))" "$least"
        shift
    done
}

run_stage() {
    local script=$1 name=$2 limit=$3 least=$4 began status note
    if [ "$limit" -lt "$least" ]; then
        record "$name" "not run" 0 "$limit" "$(seconds_left) s were left, of which its share is too small; it wants $least s"
        publish
        return
    fi
    echo "== $name (at most $limit s)"
    rm -f "$RESULTS/.skip"
    began=$(date +%s.%N)
    # INT first: the program then ends in order, a training with a checkpoint.
    LIMIT=$limit timeout -s INT -k 6 "$limit" bash "$script" --stage "$name" >"$RESULTS/$name.log" 2>&1 </dev/null
    status=$?
    note=
    case $status in
    0) status=ok ;;
    77) status=skipped note=$(cat "$RESULTS/.skip" 2>/dev/null) ;;
    124 | 137) status="stopped" note="ran into its limit" ;;
    *)
        # The last line that says what went wrong, else the last one.
        note=$(grep -E 'FAIL|[Ee]rror|^spikedhs: ' "$RESULTS/$name.log" || grep -v '^[[:space:]]*$' "$RESULTS/$name.log")
        note=$(tail -n 1 <<<"$note" | tr '\t' ' ' | cut -c 1-200)
        status="failed ($status)"
        ;;
    esac
    record "$name" "$status" "$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')" "$limit" "$note"
    echo "   $(tail -n 1 "$RESULTS/stages.tsv" | cut -f 2,3,5 | tr '\t' ' ')"
    publish
}

# publish writes the summary and the archive anew. Whoever ends this run early finds
# both, with the stages so far.
publish() {
    "$PYTHON" "$HERE/gpu/summary.py" "$RESULTS" >"$RESULTS/summary.md" 2>"$RESULTS/summary.log" ||
        cp "$RESULTS/stages.tsv" "$RESULTS/summary.md"
    local log
    for log in "$RESULTS"/*.log; do # the ends say most
        if [ "$(stat -c %s "$log")" -gt 1000000 ]; then
            tail -c 900000 "$log" >"$log.end" && mv "$log.end" "$log"
        fi
    done
    # No weights: nothing but texts is ever put into RESULTS, and what else there may be
    # stays behind.
    if tar -czf "$OUT/.results" -C "$WORK" --exclude='*.safetensors' --exclude='*.pt' results &&
        [ "$(stat -c %s "$OUT/.results")" -lt 16000000 ]; then
        mv "$OUT/.results" "$OUT/gpu-results.tar.gz"
    else
        rm -f "$OUT/.results"
        tar -czf "$OUT/gpu-results.tar.gz" -C "$WORK" results/summary.md results/stages.tsv
    fi
    cp "$RESULTS/summary.md" "$OUT/summary.md"
}
