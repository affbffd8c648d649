"""How the page of a history looks and moves: plain CSS and a little plain JavaScript, both inside the page."""

HUES = (210, 38, 140, 275, 185, 320, 90, 20)
"""One hue for each color of values."""

_COLORS = "\n".join(
    f".c{number} rect{{fill:hsl({hue} 70% var(--fill));stroke:hsl({hue} 55% var(--edge))}}"
    for number, hue in enumerate(HUES)
)

STYLE = (
    """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#5b6570;--line:#d5dae0;--panel:#f5f7f9;--fill:84%;
--edge:45%;--bad:#c81e2b;--mark:#c81e2b;--link:#0b5cad}
@media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e9ec;--soft:#9aa4af;--line:#343b43;--panel:#1c2126;
--fill:26%;--edge:58%;--bad:#ff6b74;--mark:#ff6b74;--link:#7ab8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
main,header{padding:0 1.25rem}
header{position:sticky;top:0;z-index:2;background:var(--bg);border-bottom:1px solid var(--line);padding-bottom:.6rem}
h1{font-size:1.25rem;margin:.7rem 0 .1rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
h3{font-size:.95rem;margin:1.1rem 0 .2rem;overflow-wrap:anywhere}
h3 small,.soft{color:var(--soft);font-weight:normal}
p{margin:.2rem 0}
a{color:var(--link)}
.switch{display:flex;gap:.6rem;align-items:center;flex-wrap:wrap}
.switch input{flex:1 1 14rem;min-width:8rem}
.switch output{font-variant-numeric:tabular-nums;min-width:11rem}
button{font:inherit;background:var(--panel);color:var(--fg);border:1px solid var(--line);border-radius:4px;
padding:.1rem .6rem}
.thing{display:grid;grid-template-columns:9.5rem minmax(0,1fr)}
.names{list-style:none;margin:24px 0 0;padding:0}
.names li{height:30px;line-height:30px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;padding-right:.5rem}
.scroll{overflow-x:auto;border-left:1px solid var(--line)}
svg.lanes{display:block}
svg text{fill:var(--fg);font:12px system-ui,sans-serif}
svg .date{fill:var(--soft);font-size:11px}
.tick{stroke:var(--line)}
.unknown{stroke:var(--line);stroke-dasharray:2 4}
.mark{stroke:var(--mark);stroke-dasharray:5 3;stroke-width:1.5}
.b{overflow:hidden}
.absent rect{fill:var(--bg);stroke:var(--line);stroke-dasharray:3 3}
.absent text{fill:var(--soft)}
.b.fight rect{stroke:var(--bad);stroke-width:3}
.past{display:none}
.later{opacity:.4}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem;border-bottom:1px solid var(--line)}
th{position:sticky;top:0;background:var(--panel)}
td.when{white-space:nowrap;font-variant-numeric:tabular-nums}
td.facts{min-width:16rem;overflow-wrap:anywhere}
tr:target td{background:var(--panel);box-shadow:inset 0 2px var(--link),inset 0 -2px var(--link)}
tr[id]{scroll-margin-top:9rem}
.bad{color:var(--bad);font-weight:600}
.key span{display:inline-block;margin-right:1.2rem}
.key i{display:inline-block;width:1.6rem;height:.8rem;vertical-align:middle;margin-right:.3rem;border-radius:3px;
border:1px solid var(--soft)}
.key .k-fight{border:3px solid var(--bad)}
.key .k-absent{border-style:dashed}
.key .k-unknown{border-width:0 0 1px;border-style:dashed;border-radius:0}
"""
    + _COLORS
)

SCRIPT = """
(function(){
var slider=document.getElementById('known');if(!slider)return;
var label=document.getElementById('known-label'),knowns=JSON.parse(document.getElementById('knowns').textContent);
function show(i){
 slider.value=i;label.textContent='as known '+knowns[i];
 document.querySelectorAll('.b').forEach(function(b){
  var f=+b.dataset.f,t=+b.dataset.t;b.classList.toggle('past',!(f<=i&&(t<0||i<t)));
  b.classList.toggle('fight',(b.dataset.x||'').split(' ').some(function(x){
   var e=x.split('-');return x&&+e[0]<=i&&(e[1]===''||i<+e[1]);}));});
 document.querySelectorAll('tr[data-k]').forEach(function(r){
  r.classList.toggle('later',+r.dataset.k<0||+r.dataset.k>i);});
}
slider.addEventListener('input',function(){show(+slider.value);});
document.getElementById('earlier').addEventListener('click',function(){show(Math.max(0,+slider.value-1));});
document.getElementById('later').addEventListener('click',function(){show(Math.min(knowns.length-1,+slider.value+1));});
document.querySelectorAll('button[data-known]').forEach(function(b){
 b.addEventListener('click',function(){show(+b.dataset.known);window.scrollTo(0,0);});});
var all=[].slice.call(document.querySelectorAll('.scroll'));
all.forEach(function(one){one.addEventListener('scroll',function(){
 all.forEach(function(other){if(other!==one&&other.scrollLeft!==one.scrollLeft)other.scrollLeft=one.scrollLeft;});});
 one.scrollLeft=one.scrollWidth;});
document.querySelector('.switch').hidden=false;
show(+slider.value);
})();
"""
