import sys; sys.path.insert(0,'/inside'); 
import os, time
import policy_checks as p
def one(copies, rate, cpus):
    with p.Load() as load, p.running() as run:
        run.wait_enabled()
        load.start("vnf.slice", rate, 2500, copies=copies)
        sp = load.start_spinners(2*cpus)
        time.sleep(0.3); a=p.classes()["vnf.slice"]["waits"]
        from running import ran_ns
        b0=sum(ran_ns(s.pid) for s in sp); t0=time.monotonic()
        time.sleep(1.0)
        b1=sum(ran_ns(s.pid) for s in sp); t1=time.monotonic()
        r=p.classes()["vnf.slice"]; run.stop()
        print(f"RES {cpus} cpus {copies}x{rate}: waits/s {(r['waits']-a)/(t1-t0):.0f} p99 {r['p99_ns']/1e3:.1f} p99.9 {r['p999_ns']/1e3:.1f} max {r.get('max_ns',0)/1e3:.1f} missed {r['missed']}/{r['waits']} spinners {100*(b1-b0)/1e9/(t1-t0)/cpus:.1f} %",flush=True)
p.setUpModule()
n=os.cpu_count()
for c,r in ([(1,60000),(2,20000),(3,30000),(2,60000)] if n==1 else [(2,60000),(4,60000)]):
    one(c,r,n)
