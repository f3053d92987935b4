// A synapse that learns, for NEST: `engines/synapses.py` synapse by synapse, in the same order.
//
// MODEL and PARTS are replaced before this is compiled. Sources are injectors that fire a step before
// something arrives, so that the delay in NEST is one step, and that fire once more where a flush is
// due. Steps are counted from the start of the run; the stamp of a spike is LAG later.

#include <array>
#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "common_synapse_properties.h"
#include "connection.h"
#include "connector_model.h"
#include "event.h"
#include "histentry.h"
#include "nest_extension_interface.h"

namespace MODEL_space
{

// Exponentials that an eligibility is made of.
constexpr int parts = PARTS;

// What the synapses of a pathway share.
struct Pathway : public nest::CommonSynapseProperties
{
  long lag = 0;
  long flush = 1;
  bool soft = false;
  double grain = 1.0;
  std::vector< double > bounds = std::vector< double >( 4, 0.0 );
  // By receptor: conductance, and port counted from that of the connection.
  std::vector< double > amounts;
  std::vector< long > ports;
  // By number of steps since a flush; those of eligibilities by exponential too.
  std::vector< double > adds_plus, adds_minus, pre_rises, post_rises;
  // What a flush leaves of eligibilities, and of traces of sources and targets.
  std::vector< double > left;
  double left_pre = 0.0;
  double left_post = 0.0;
  // By parity of the period, exponential, eligibility and steps since the flush.
  std::vector< double > tables;
  // What arrives, by source: where its entries begin, at which steps, and how much is released.
  std::vector< long > first;
  std::vector< long > when;
  std::vector< double > released;

  const double*
  table( long period, int part, int sign ) const
  {
    return tables.data() + ( ( period % 2 * parts + part ) * 2 + sign ) * ( flush + 1 );
  }

  void
  get_status( Dictionary& d ) const
  {
    nest::CommonSynapseProperties::get_status( d );
    // NEST looks every key up before it sets one; the tables are long, and nobody reads them.
    for ( const char* key : { "bounds", "amounts", "adds_plus", "adds_minus", "pre_rises", "post_rises", "left",
            "released", "stretch" } )
    {
      d[ key ] = std::vector< double >( 1 );
    }
    for ( const char* key : { "ports", "first", "when" } )
    {
      d[ key ] = std::vector< long >( 1 );
    }
    d[ "lag" ] = lag;
    d[ "flush" ] = flush;
    d[ "soft" ] = soft;
    d[ "grain" ] = grain;
    d[ "left_pre" ] = left_pre;
    d[ "left_post" ] = left_post;
    d[ "period" ] = 0L;
    d[ "place" ] = 0L;
  }

  void
  set_status( const Dictionary& d, nest::ConnectorModel& model )
  {
    nest::CommonSynapseProperties::set_status( d, model );
    d.update_value( "lag", lag );
    d.update_value( "soft", soft );
    d.update_value( "grain", grain );
    d.update_value( "bounds", bounds );
    d.update_value( "amounts", amounts );
    d.update_value( "ports", ports );
    d.update_value( "adds_plus", adds_plus );
    d.update_value( "adds_minus", adds_minus );
    d.update_value( "pre_rises", pre_rises );
    d.update_value( "post_rises", post_rises );
    d.update_value( "left", left );
    d.update_value( "left_pre", left_pre );
    d.update_value( "left_post", left_post );
    d.update_value( "first", first );
    d.update_value( "when", when );
    d.update_value( "released", released );
    if ( d.update_value( "flush", flush ) )
    {
      tables.assign( 4 * parts * ( flush + 1 ), 0.0 );
    }
    // A stretch of the tables: its period, its first place, and the values row by row.
    long period = 0, place = 0;
    std::vector< double > stretch;
    d.update_value( "period", period );
    d.update_value( "place", place );
    if ( d.update_value( "stretch", stretch ) )
    {
      const long count = stretch.size() / ( 2 * parts );
      for ( int row = 0; row < 2 * parts; ++row )
      {
        double* to = tables.data() + ( period % 2 * 2 * parts + row ) * ( flush + 1 ) + place;
        std::copy_n( stretch.begin() + row * count, count, to );
      }
    }
  }
};

template < typename targetidentifierT >
class MODEL : public nest::Connection< targetidentifierT >
{
  using Base = nest::Connection< targetidentifierT >;

  double weight = 1.0;
  double factor = 1.0;
  double pre = 0.0;
  double post = 0.0;
  std::array< double, parts > plus {};
  std::array< double, parts > minus {};
  long last = 0;
  int source = 0;

  class Dummy : public nest::ConnTestDummyNodeBase
  {
  public:
    using nest::ConnTestDummyNodeBase::handles_test_event;
    size_t
    handles_test_event( nest::SpikeEvent&, size_t ) override
    {
      return nest::invalid_port;
    }
  };

  // Bring weight and eligibilities up to date at a step of a period, before what happens there.
  void
  bring( nest::Node& target, long period, long now, const Pathway& pathway )
  {
    const long begin = period * pathway.flush, before = last - begin, there = now - begin;
    double gained = 0.0;
    for ( int part = 0; part < parts; ++part )
    {
      const double* up = pathway.table( period, part, 0 );
      const double* down = pathway.table( period, part, 1 );
      gained = gained + ( plus[ part ] * ( up[ there ] - up[ before ] )
        + minus[ part ] * ( down[ there ] - down[ before ] ) );
    }
    const auto ms = []( long step ) { return nest::Time( nest::Time::step( step ) ).get_ms(); };
    const double dt = nest::Time::get_resolution().get_ms();
    std::deque< nest::histentry >::iterator spike, end;
    target.get_history( ms( last + pathway.lag ), ms( now + pathway.lag ), &spike, &end );
    for ( ; spike != end; ++spike )
    {
      const long when = std::lround( spike->t_ / dt ) - 1 - pathway.lag - begin;
      for ( int part = 0; part < parts; ++part )
      {
        const double* up = pathway.table( period, part, 0 );
        const double more = pre * pathway.adds_plus[ part * ( pathway.flush + 1 ) + when ];
        gained += more * ( up[ there ] - up[ when ] );
        plus[ part ] += more;
      }
      post += pathway.post_rises[ when ];
    }
    const std::vector< double >& bounds = pathway.bounds;
    if ( pathway.soft )
    {
      gained = gained * ( gained > 0.0 ? ( bounds[ 1 ] - weight ) * bounds[ 3 ]
                                       : ( weight - bounds[ 0 ] ) * bounds[ 2 ] );
    }
    weight = std::min( std::max( weight + gained, bounds[ 0 ] ), bounds[ 1 ] );
    last = now;
  }

  void
  count_anew( const Pathway& pathway )
  {
    for ( int part = 0; part < parts; ++part )
    {
      plus[ part ] *= pathway.left[ part ];
      minus[ part ] *= pathway.left[ part ];
    }
    pre *= pathway.left_pre;
    post *= pathway.left_post;
  }

  double
  released_at( long now, const Pathway& pathway ) const
  {
    if ( pathway.first.empty() )
    {
      return 1.0;
    }
    const auto begin = pathway.when.begin() + pathway.first[ source ];
    const auto end = pathway.when.begin() + pathway.first[ source + 1 ];
    return pathway.released[ std::lower_bound( begin, end, now ) - pathway.when.begin() ];
  }

public:
  using CommonPropertiesType = Pathway;
  static constexpr nest::ConnectionModelProperties properties =
    nest::ConnectionModelProperties::HAS_DELAY | nest::ConnectionModelProperties::IS_PRIMARY;

  void
  check_connection( nest::Node& from, nest::Node& to, size_t receptor, const Pathway& )
  {
    Dummy dummy;
    Base::check_connection_( dummy, from, to, receptor );
    to.register_stdp_connection( 0.0, Base::get_delay() );
  }

  bool
  send( nest::Event& event, size_t thread, const Pathway& pathway )
  {
    nest::Node& target = *Base::get_target( thread );
    const long now = event.get_stamp().get_steps() - pathway.lag, flush = pathway.flush;
    if ( now / flush > last / flush )
    {
      // The first spike of a period tells the flush.
      bring( target, now / flush - 1, now, pathway );
      count_anew( pathway );
      return false;
    }
    bring( target, now / flush, now, pathway );
    const long since = now % flush;
    for ( int part = 0; part < parts; ++part )
    {
      minus[ part ] += post * pathway.adds_minus[ part * ( flush + 1 ) + since ];
    }
    pre += pathway.pre_rises[ since ];
    const double scale = released_at( now, pathway );
    event.set_receiver( target );
    event.set_delay_steps( Base::get_delay_steps() );
    for ( size_t place = 0; place < pathway.amounts.size(); ++place )
    {
      const double amount = pathway.amounts[ place ] * scale * factor * weight;
      event.set_weight( std::nearbyint( amount * pathway.grain ) / pathway.grain );
      event.set_rport( Base::get_rport() + pathway.ports[ place ] );
      event();
    }
    return true;
  }

  void
  set_weight( double other )
  {
    weight = other;
  }

  void
  get_status( Dictionary& d ) const
  {
    Base::get_status( d );
    d[ nest::names::weight ] = weight;
    d[ nest::names::size_of ] = static_cast< long >( sizeof( *this ) );
    d[ "pre" ] = pre;
    d[ "post" ] = post;
    d[ "last" ] = last;
    d[ "factor" ] = factor;
    d[ "axon" ] = static_cast< long >( source );
    for ( int part = 0; part < parts; ++part )
    {
      d[ "plus" + std::to_string( part ) ] = plus[ part ];
      d[ "minus" + std::to_string( part ) ] = minus[ part ];
    }
  }

  void
  set_status( const Dictionary& d, nest::ConnectorModel& model )
  {
    Base::set_status( d, model );
    long axon = source;
    d.update_value( nest::names::weight, weight );
    d.update_value( "factor", factor );
    d.update_value( "axon", axon );
    source = axon;
  }
};

template < typename targetidentifierT >
constexpr nest::ConnectionModelProperties MODEL< targetidentifierT >::properties;

class Module : public nest::NESTExtensionInterface
{
public:
  void
  initialize() override
  {
    nest::register_connection_model< MODEL >( "MODEL" );
  }
};

} // namespace MODEL_space

MODEL_space::Module MODEL_module_LTX_module;
