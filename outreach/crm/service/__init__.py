"""Questions, complaints and wishes, from their arrival to the customer's word whether it helped."""
