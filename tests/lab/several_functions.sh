# sev.sh TREE CPUS
echo 0 > /proc/self/autogroup
B=$1/build; cd $1
timeout 550 $B/punctual lab --time virtual --settle 1s --cpus $2 --include $1/tests/lab/inside --include $B/packets --include $B/shares --include /tmp/sev.py --env PACKETS=$B/packets --env SHARES=$B/shares --env PYTHONPATH=$1/tests/lab/inside --timeout 9m -- python3 -B /tmp/sev.py 2>&1 | grep -E "RES|Error|error" 
